"""The trivial application behind Kannel: one sentence for whoever asks, and nothing is kept."""

from flask import Flask

# What the service itself answers HD with.
REPLY = (
    "CSDLDC: Soan DC so-dinh-danh, roi XN ma-6-so (2 tin nhan). Khac: NK/KHOA/MO "
    "so-dinh-danh, SAI/KT ma, HUY, PHI. An toan hon: VNeID, Cong dich vu cong, Cong an xa"
)

app = Flask(__name__)


@app.get("/mo")
def answer() -> tuple[str, dict[str, str]]:
    """Answer one message."""
    return REPLY, {"Content-Type": "text/plain"}
