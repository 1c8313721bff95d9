// Keeps the page alive: counts what is typed, sends it, and shows what has come since.
// Without it every link and form still works; the page then has to be opened anew.

import { canCheck, holds } from "./proof.js";
import { measure } from "./segments.js";

const SOON = 250;
const CALM = 1500;
const EAGER_FOR = 15000;

const byId = (id) => document.getElementById(id);
const live = byId("live");

if (live) {
  const form = byId("composer");
  const body = byId("body");
  const wall = byId("wall");
  const touched = new Map(); // cards that the reader opened or closed
  const seen = new Set(
    Array.from(document.querySelectorAll("[data-came]"), (text) => text.dataset.came),
  );
  let eagerUntil = performance.now() + EAGER_FOR;
  let timer = 0;

  function count() {
    const counter = byId("counter");
    const { encoding, units, segments, room } = measure(body.value);
    const parts =
      segments === 1 ? counter.dataset.one : counter.dataset.many.replace("#", String(segments));
    counter.textContent = `${units}/${room} · ${parts} · ${encoding === "gsm7" ? "GSM-7" : "UCS-2"}`;
    counter.dataset.state = segments > 1 || encoding === "ucs2" ? "many" : "one";
  }

  function fill(text) {
    body.value = text;
    count();
    body.focus();
  }

  function toBottom() {
    wall.scrollTop = wall.scrollHeight;
  }

  function wakeUp() {
    eagerUntil = performance.now() + EAGER_FOR;
    clearTimeout(timer);
    timer = setTimeout(refresh, SOON / 5);
  }

  async function send(values) {
    const fields = new FormData(form);
    for (const [name, value] of Object.entries(values)) {
      fields.set(name, value);
    }
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { accept: "application/json" },
    });
    byId("lost").hidden = answer.ok;
    wakeUp();
    return answer.ok;
  }

  function announce() {
    const line = byId("announcement");
    for (const text of document.querySelectorAll("[data-came]")) {
      if (!seen.has(text.dataset.came)) {
        seen.add(text.dataset.came);
        text.dataset.new = "";
        const words = text.querySelector(".words").textContent;
        line.textContent = line.dataset.template.replace("#", words);
      }
    }
  }

  function restoreCards() {
    for (const [id, isOpen] of touched) {
      const card = byId(id);
      if (card) {
        card.open = isOpen;
      }
    }
  }

  async function checkProofs() {
    for (const proof of document.querySelectorAll(".proof")) {
      const verdict = proof.querySelector(".browser");
      const words = verdict.querySelector("span");
      verdict.hidden = false;
      if (!canCheck()) {
        words.textContent = verdict.dataset.cannot;
        continue;
      }
      const { index, sizeOfTree, leaf, root, path } = proof.dataset;
      const right = await holds({
        index: Number(index),
        size: Number(sizeOfTree),
        leaf,
        root,
        path: path.split(" ").filter(Boolean),
      });
      words.textContent = right ? verdict.dataset.yes : verdict.dataset.no;
      verdict.dataset.verdict = right ? "yes" : "no";
      verdict.replaceChild(
        proof.querySelector(".verdict .icon").cloneNode(true),
        verdict.querySelector(".icon"),
      );
    }
  }

  function focused() {
    const { activeElement } = document;
    const card = activeElement.closest(".exchange");
    const message = activeElement.closest(".message");
    if (card) {
      return `#${card.id} > summary`;
    }
    return message ? `#${message.id} ${activeElement.localName}` : null;
  }

  function show(news) {
    const atBottom = wall.scrollHeight - wall.scrollTop - wall.clientHeight < 80;
    const focus = focused();
    byId("thread").innerHTML = news.thread;
    byId("inside").innerHTML = news.inside;
    byId("suggestions").innerHTML = news.suggestions;
    live.dataset.version = news.version;
    restoreCards();
    if (focus) {
      document.querySelector(focus)?.focus({ preventScroll: true });
    }
    announce();
    checkProofs();
    if (atBottom) {
      toBottom();
    }
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const source = new URL(live.dataset.source, location.href);
      source.searchParams.set("since", live.dataset.version);
      const answer = await fetch(source);
      byId("lost").hidden = answer.ok;
      if (answer.status === 200) {
        show(await answer.json());
      }
    } catch {
      byId("lost").hidden = false;
    }
    timer = setTimeout(refresh, performance.now() < eagerUntil ? SOON : CALM);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button?.name === "suggested") {
      fill(button.value);
    } else if (button?.name === "again") {
      await send({ again: button.value, text: "" });
    } else if (body.value.trim()) {
      const text = body.value;
      fill("");
      toBottom();
      if (!(await send({ text }).catch(() => false))) {
        byId("lost").hidden = false;
        fill(text);
      }
    }
  });

  body.addEventListener("input", count);
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  function turn(view) {
    document.body.dataset.view = view;
    for (const button of document.querySelectorAll("[data-shows]")) {
      button.setAttribute("aria-pressed", String(button.dataset.shows === view));
    }
    if (view === "phone") {
      toBottom();
    }
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      event.preventDefault();
      turn("inside");
      const card = byId(opener.dataset.opens);
      card.open = true;
      touched.set(card.id, true);
      card.scrollIntoView({ block: "nearest" });
      card.querySelector("summary").focus();
    }
    const summary = event.target.closest(".exchange > summary");
    if (summary) {
      touched.set(summary.parentElement.id, !summary.parentElement.open);
    }
    const shows = event.target.closest("[data-shows]");
    if (shows) {
      turn(shows.dataset.shows);
    }
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      wakeUp();
    }
  });

  count();
  toBottom();
  checkProofs();
  document.querySelector(".person[aria-current]")?.scrollIntoView({ block: "nearest" });
  timer = setTimeout(refresh, SOON);
}
