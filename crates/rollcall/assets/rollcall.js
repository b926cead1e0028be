// The only script. Every page works without it; it saves reloads and asks before what cannot be taken back.
"use strict";

// A running job: its state replaces the old one, people scroll in from above.
const LIVE_ROWS_MAX = 200;
for (const live of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(live.dataset.live);
  const rows = live.querySelector("[data-live-rows]");
  source.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    live.querySelector("[data-live-state]").innerHTML = told.state;
    if (rows && told.rows) {
      rows.closest("[hidden]")?.removeAttribute("hidden");
      rows.insertAdjacentHTML("afterbegin", told.rows);
      while (rows.children.length > LIVE_ROWS_MAX) rows.lastElementChild.remove();
    }
  });
  source.addEventListener("end", (event) => {
    source.close();
    location.assign(event.data);
  });
}

// Filters apply as soon as they are chosen.
for (const form of document.querySelectorAll("form[data-auto]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
  });
  for (const button of form.querySelectorAll("[data-no-script]")) button.hidden = true;
}

// Before what cannot be taken back.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !confirm(question)) {
    event.preventDefault();
    return;
  }
  // Once is enough, and a slow answer shows that it is on its way.
  const button = event.submitter;
  if (button && event.target.method === "post" && !button.name) {
    setTimeout(() => { button.disabled = true; button.classList.add("working"); }, 0);
  }
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("button.working")) {
    button.disabled = false;
    button.classList.remove("working");
  }
});

// Parts that are looked up when they are opened, or on demand.
async function fill(part) {
  if (part.dataset.filled) return;
  part.dataset.filled = "1";
  const target = part.querySelector("[data-into]") ?? part;
  try {
    const answer = await fetch(part.dataset.fetch, { headers: { "X-Part": "1" } });
    if (answer.redirected) return location.reload();
    target.innerHTML = await answer.text();
  } catch {
    delete part.dataset.filled;
  }
}
document.addEventListener("toggle", (event) => {
  if (event.target.open && event.target.dataset.fetch) fill(event.target);
}, true);

// One box marks all of a list.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-all]")) return;
  for (const box of document.querySelectorAll(`input[name="${event.target.dataset.all}"]`)) box.checked = event.target.checked;
});

// What only makes sense for some choices is shown for those.
function depend() {
  for (const part of document.querySelectorAll("[data-when]")) {
    const [name, ...values] = part.dataset.when.split("=").flatMap((text) => text.split("|"));
    const chosen = document.querySelector(`select[name="${name}"], input[name="${name}"]:checked`);
    part.hidden = !values.includes(chosen?.value ?? "");
  }
}
document.addEventListener("change", depend);
depend();
