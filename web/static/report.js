// The month form while it is filled in. It works without: the server judges what
// is saved, and keeps drafts. Here, what is typed is judged as it is typed, and is
// kept in this browser until the server has it.

const form = document.getElementById("report");

// Fields a person types in. Keys, revisions and files are not among them.
const typed = () =>
  [...form.elements].filter((e) => e.name && e.type !== "hidden" && e.type !== "file" && e.type !== "submit" && !e.name.startsWith("pick_"));

const valuesOf = () => {
  const values = {};
  for (const e of typed()) values[e.name] = e.type === "checkbox" ? (e.checked ? "1" : "") : e.value;
  return values;
};

// —— Kept in this browser ——

const store = {
  read() {
    try {
      return JSON.parse(localStorage.getItem(form.dataset.draft));
    } catch {
      return null;
    }
  },
  write(value) {
    try {
      if (value) localStorage.setItem(form.dataset.draft, JSON.stringify(value));
      else localStorage.removeItem(form.dataset.draft);
    } catch {
      // No room, or storage is switched off: the form works as without a script.
    }
  },
};

const keep = (sent = false) => store.write({ at: new Date().toISOString(), sent, values: valuesOf() });

const notice = (text, ...more) => {
  const p = document.createElement("p");
  p.className = "notice";
  p.setAttribute("role", "status");
  p.append(text, ...more);
  form.before(p);
  return p;
};

const button = (text, click) => {
  const b = document.createElement("button");
  b.type = "button";
  b.className = "btn btn--mini";
  b.textContent = text;
  b.addEventListener("click", click);
  return b;
};

const restore = (values) => {
  for (const e of typed()) {
    if (!(e.name in values)) continue;
    if (e.type === "checkbox") e.checked = values[e.name] === "1";
    else e.value = values[e.name];
    if (e.value) e.closest("details")?.setAttribute("open", "");
  }
  keep();
  judge();
};

const offer = () => {
  const kept = store.read();
  if (!kept?.values) return;
  const now = valuesOf();
  const differs = Object.keys(kept.values).some((name) => name in now && now[name] !== kept.values[name]);
  const taken = kept.sent && document.querySelector(".flash");
  if (!differs || taken) {
    store.write(null);
    return;
  }
  if (document.querySelector(".errsum")) {
    keep(); // what was typed is in the page again
    return;
  }
  const at = new Date(kept.at).toLocaleString("zh-CN", { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const p = notice(
    `这台电脑上有${at}填写、还没有保存到系统的内容。`,
    button("恢复这些内容", () => {
      restore(kept.values);
      p.remove();
    }),
    button("不要了", () => {
      store.write(null);
      p.remove();
    }),
  );
};

// —— Judged while typing ——

let asked = null; // the request under way
let said = false; // that nobody is signed in any more

const judge = async () => {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && /^(value|step|reason|nochange|revision)\[[0-9.]+\]$/.test(name)) body.append(name, value);
  }
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(form.dataset.live, { method: "POST", body, redirect: "manual", signal: asked.signal });
    if (answer.type === "opaqueredirect") {
      if (!said) {
        const a = document.createElement("a");
        a.href = "/login?next=/account";
        a.target = "_blank";
        a.rel = "noopener";
        a.textContent = "在新标签页登录";
        notice("登录已经过期。您填的内容还在这一页,也存在这台电脑上:请", a, ",再回来继续。");
        said = true;
      }
      return;
    }
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error; // TypeError: the network
  }
};

const show = (page) => {
  for (const part of page.querySelectorAll("[data-row]")) {
    const id = part.dataset.row;
    const row = document.getElementById(`${id}-row`);
    if (!row) continue;
    replace(`${id}-live`, part);
    replace(`${id}-w`, part);
    row.classList.remove("is-error", "is-warn");
    if (part.dataset.mark) row.classList.add(part.dataset.mark);
    const field = document.getElementById(id);
    const wrong = part.querySelector(".field__error") !== null;
    field.closest(".field").classList.toggle("field--error", wrong);
    if (wrong) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    const warn = document.getElementById(`${id}-warn`);
    warn.hidden = part.dataset.reason === "";
    if (part.dataset.reason) warn.querySelector("label").textContent = part.dataset.reason;
  }
  replace("sum", page);
};

const replace = (id, from) => {
  const now = document.getElementById(id);
  const next = from.querySelector(`#${id}`);
  if (now && next && now.innerHTML !== next.innerHTML) now.replaceChildren(...next.childNodes);
};

let waiting;

const changed = (event) => {
  const e = event.target;
  const row = e.closest(".frow");
  if (row && e.type === "checkbox") {
    const field = document.getElementById(row.id.replace(/-row$/, ""));
    if (e.checked) field.value = e.dataset.last;
  } else if (row && /^(value|step)\[/.test(e.name)) {
    const same = row.querySelector("input[type=checkbox]");
    if (same?.checked && e.value.trim() !== same.dataset.last) same.checked = false;
  }
  keep();
  clearTimeout(waiting);
  waiting = setTimeout(judge, 400);
};

if (form) {
  offer();
  form.addEventListener("input", changed);
  form.addEventListener("submit", () => keep(true));
}
