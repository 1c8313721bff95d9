#!/bin/sh
# Check the signature of a reply that the gateway posted, with openssl.
# Usage: sh verify.sh SECRET_FILE WEBHOOK_ID WEBHOOK_TIMESTAMP WEBHOOK_SIGNATURE BODY_FILE
# Ends 0 if it is genuine and at most five minutes old, else 1.
set -eu

secret_file=$1 id=$2 timestamp=$3 signatures=$4 body=$5

key=$(sed 's/^whsec_//' "$secret_file" | tr -d '\n' | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected=v1,$({ printf '%s.%s.' "$id" "$timestamp"; cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)

age=$(($(date +%s) - timestamp))
[ "$age" -le 300 ] && [ "$age" -ge -300 ] || { echo "not fresh: ${age#-} s away" >&2; exit 1; }
for signature in $signatures; do
    [ "$signature" = "$expected" ] && { cat "$body"; echo; exit 0; }
done
echo "not genuine" >&2
exit 1
