<?php
// Take the gateway's replies, with PHP 8 and nothing else.
// Usage: SECRET_FILE=… SEEN_FOLDER=… php -S 127.0.0.1:PORT receive.php
// Writes each genuine reply once to the error log. In earnest the ids are kept in a table with a
// unique key, and the status is answered once the reply is stored.

function isGenuine(string $secret, string $id, string $timestamp, string $body, string $header): bool
{
    if (!preg_match('/^[0-9]{1,11}$/D', $timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    $genuine = false;
    foreach (explode(' ', $header) as $given) {
        // Compared in constant time; several signatures may stand there.
        $genuine = hash_equals($expected, $given) || $genuine;
    }
    return $genuine;
}

$secret = trim(file_get_contents(getenv('SECRET_FILE')));
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
$signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';

if (!isGenuine($secret, $id, $timestamp, $body, $signatures)) {
    http_response_code(401);
    return;
}
// webhook-id is the reply's id: the same on each attempt. A file that can be made once says so.
if (@fopen(getenv('SEEN_FOLDER') . '/' . sha1($id), 'x') !== false) {
    file_put_contents('php://stderr', "$body\n");
}
http_response_code(204);
