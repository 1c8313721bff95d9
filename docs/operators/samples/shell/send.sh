#!/bin/sh
# Hand one message of a citizen to the gateway, with curl and openssl.
# Usage: sh send.sh URL SECRET_FILE FROM TO TEXT
# Prints the status and the answer; ends 0 if the message is kept, else 1.
set -eu

url=$1 secret_file=$2 from=$3 to=$4 text=$5

random() { od -An -N8 -tx1 /dev/urandom | tr -d ' \n'; }
quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

id="mo-$(random)"
event="evt-$(random)"
timestamp=$(date +%s)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
body=$(mktemp)
answer=$(mktemp)
trap 'rm -f "$body" "$answer"' EXIT

# No line end behind it: what is signed are the bytes that go out.
printf '{"type":"message.received","timestamp":"%s","data":{"id":"%s","from":"%s","to":"%s","text":"%s","received_at":"%s"}}' \
    "$now" "$id" "$(quoted "$from")" "$(quoted "$to")" "$(quoted "$text")" "$now" >"$body"

# The key stands in openssl's arguments, which other users of this machine may see: not for earnest.
key=$(sed 's/^whsec_//' "$secret_file" | tr -d '\n' | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
signature=$({ printf '%s.%s.' "$event" "$timestamp"; cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)

# --data-binary: --data would take line ends out of the body.
status=$(curl --silent --show-error --max-time 10 --output "$answer" --write-out '%{http_code}' \
    --header 'content-type: application/json' \
    --header "webhook-id: $event" \
    --header "webhook-timestamp: $timestamp" \
    --header "webhook-signature: v1,$signature" \
    --data-binary "@$body" "$url")
printf '%s %s\n' "$status" "$(cat "$answer")"
[ "$status" = 202 ]
