<?php
// Hand one message of a citizen to the gateway, with PHP 8 and nothing else.
// Usage: php send.php URL SECRET_FILE FROM TO TEXT
// Prints the status and the answer; ends 0 if the message is kept, else 1.

[, $url, $secretFile, $from, $to, $text] = $argv;

/** Sign the very bytes that go out. */
function sign(string $secret, string $id, string $timestamp, string $body): string
{
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    return 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
}

$secret = trim(file_get_contents($secretFile));
$now = gmdate('Y-m-d\TH:i:s\Z');
$body = json_encode([
    'type' => 'message.received',
    'timestamp' => $now,
    'data' => [
        'id' => 'mo-' . bin2hex(random_bytes(8)),
        'from' => $from,
        'to' => $to,
        'text' => $text,
        'received_at' => $now,
    ],
], JSON_THROW_ON_ERROR);
$event = 'evt-' . bin2hex(random_bytes(8));
$timestamp = (string) time();

$answer = file_get_contents($url, false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => [
        'content-type: application/json',
        "webhook-id: $event",
        "webhook-timestamp: $timestamp",
        'webhook-signature: ' . sign($secret, $event, $timestamp, $body),
    ],
    'content' => $body,
    'timeout' => 10,
    'follow_location' => 0,
    'ignore_errors' => true,
]]));
$status = (int) explode(' ', $http_response_header[0] ?? 'HTTP/1.1 0')[1];
echo "$status $answer\n";
exit($status === 202 ? 0 : 1);
