#!/bin/sh
# Puts a trivial Flask application (gunicorn, 2 workers of 8 threads) behind an SMSC by Kannel:
#
#   kannel.sh SMSC_PORT FOLDER
#
# binds to 127.0.0.1:SMSC_PORT as "kannel", keeps its store and its logs in FOLDER, which must be
# there, prints `ready` when messages are answered, and ends everything when its input is closed.
# `python app.py benchmark link --smpp` runs it, to have something to be measured beside.
set -eu

smsc_port=$1 folder=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PYTHON=${PYTHON:-$here/../../.venv/bin/python}
WINDOW=${WINDOW:-50}
APP_PORT=${APP_PORT:-18080} ADMIN_PORT=${ADMIN_PORT:-13000}
SMSBOX_PORT=${SMSBOX_PORT:-13001} SENDSMS_PORT=${SENDSMS_PORT:-13013}

sorry() {
	echo "$*" >&2
	exit 69
}

for program in bearerbox smsbox; do
	command -v "$program" >/dev/null || sorry "no Kannel here: \`make kannel\` installs it"
done

# gunicorn is nothing that the service itself needs, so it gets a folder of its own.
if ! "$PYTHON" -c 'import flask, gunicorn' 2>/dev/null; then
	packages=$("$PYTHON" -c 'import sys; print(sys.prefix)')/peer
	PYTHONPATH=$packages
	export PYTHONPATH
	"$PYTHON" -c 'import flask, gunicorn' 2>/dev/null ||
		"$PYTHON" -m pip install --quiet --disable-pip-version-check --require-hashes \
			--target "$packages" --requirement "$here/requirements.txt" >&2 ||
		sorry "gunicorn cannot be had"
fi

# Waits until a page holds a word.
await() {
	"$PYTHON" - "$1" "$2" <<'END' || sorry "nothing good comes from $1: see the logs in $folder"
import sys, time, urllib.request
url, word = sys.argv[1:]
for _ in range(300):
    try:
        if word in urllib.request.urlopen(url, timeout=2).read().decode(errors="replace"):
            sys.exit(0)
    except OSError:
        pass
    time.sleep(0.1)
sys.exit(1)
END
}

sed -e "s/@SMSC_PORT@/$smsc_port/" -e "s/@WINDOW@/$WINDOW/" -e "s/@APP_PORT@/$APP_PORT/" \
	-e "s/@ADMIN_PORT@/$ADMIN_PORT/" -e "s/@SMSBOX_PORT@/$SMSBOX_PORT/" \
	-e "s/@SENDSMS_PORT@/$SENDSMS_PORT/" "$here/kannel.conf" >"$folder/kannel.conf"
cd "$folder"

# The box that asks ends first: what it has asked for is answered then.
application='' bearerbox='' smsbox=''
end() {
	for each in "$smsbox" "$bearerbox" "$application"; do
		if [ -n "$each" ]; then
			kill "$each" 2>/dev/null || true
			wait "$each" || true
		fi
	done
}
trap end EXIT
trap 'exit 143' TERM INT HUP

"$PYTHON" -m gunicorn --workers 2 --worker-class gthread --threads 8 --keep-alive 30 \
	--backlog 4096 --bind "127.0.0.1:$APP_PORT" --log-level warning --chdir "$here" \
	back_end:app >gunicorn.log 2>&1 </dev/null &
application=$!
await "http://127.0.0.1:$APP_PORT/mo" Soan
bearerbox -v 3 kannel.conf >bearerbox.out 2>&1 </dev/null &
bearerbox=$!
await "http://127.0.0.1:$ADMIN_PORT/status.txt?password=bench" "SMSC connections"
smsbox -v 3 kannel.conf >smsbox.out 2>&1 </dev/null &
smsbox=$!
await "http://127.0.0.1:$ADMIN_PORT/status.txt?password=bench" "smsbox"

echo ready
while read -r _; do :; done
