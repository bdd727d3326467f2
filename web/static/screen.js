// The wall renews itself. The last good page stays when the server is away, and
// the line on top says since when.

const every = 4000; // an approval shows within five seconds
const away = document.querySelector(".wall__away");
let tag = "";
let failed = 0;

// The server's clock, carried on from when the page was drawn: the demo's is not
// the machine's. Its zone is the city's, whatever the machine's is.
const clock = () => {
  const drawn = document.querySelector(".wall__note time").dateTime;
  const [, sign, hours, minutes] = drawn.match(/([+-])(\d\d):(\d\d)$/) ?? [, "+", 0, 0];
  return { at: Date.parse(drawn), zone: (sign === "-" ? -1 : 1) * (hours * 60 + +minutes) * 60000, from: performance.now() };
};
let server = clock();
let last = server.at; // when the server was last heard of

const said = (ms) =>
  new Intl.DateTimeFormat("zh-CN", { timeZone: "UTC", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(ms + server.zone);

function warn(why) {
  failed++;
  if (failed < 2) return; // one lost request is no news
  away.textContent = `${why},画面停在 ${said(last)}`;
  away.hidden = false;
}

async function renew() {
  try {
    const answer = await fetch(location.href, { cache: "no-cache", redirect: "manual", signal: AbortSignal.timeout(every) });
    if (answer.type === "opaqueredirect") return warn("登录已过期,请重新登录");
    if (!answer.ok) return warn(`服务器答复 ${answer.status}`);
    if (answer.headers.get("Etag") !== tag) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main.wall");
      if (!main) return warn("服务器的答复不是大屏");
      const style = (doc) => doc.querySelector('link[rel="stylesheet"]').getAttribute("href");
      if (style(page) !== style(document)) return location.reload(); // another version of the program
      document.querySelector("main.wall").replaceWith(document.adoptNode(main));
      document.title = page.title;
      tag = answer.headers.get("Etag");
      server = clock();
    }
    failed = 0;
    last = server.at + performance.now() - server.from;
    away.hidden = true;
  } catch {
    warn("与服务器失去联系");
  }
}

(async () => {
  for (;;) {
    await new Promise((done) => setTimeout(done, every));
    await renew();
  }
})();
