// A preview in the back office's frame, and the editor around it: each tells the other what was
// chosen, and the page is renewed in place, so that nothing jumps while somebody designs it. It
// is part of previews alone.
"use strict";
(() => {
  const { editor, home } = document.currentScript.dataset;
  if (parent === window || !editor) return;
  const tell = (message) => parent.postMessage(message, editor);
  const sectionOf = (id) => document.getElementById(`section-${id}`);

  // The page as it is now takes the place of the one that is shown, once its colours are there.
  let latest = 0;
  const renew = async () => {
    const turn = ++latest;
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const ours = document.querySelector("link[rel=stylesheet]");
    const theirs = page.querySelector("link[rel=stylesheet]");
    if (turn !== latest) return;
    if (!answer.ok || !ours || !theirs) return location.reload();
    if (ours.href !== theirs.href) {
      const next = Object.assign(document.createElement("link"), { rel: "stylesheet", href: theirs.href });
      await new Promise((done) => {
        next.onload = next.onerror = done;
        ours.after(next);
      });
      ours.remove();
    }
    if (turn !== latest) return;
    document.title = page.title;
    document.body.replaceChildren(...page.body.childNodes);
  };

  const show = (id) => {
    const section = sectionOf(id);
    if (!section) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    section.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: section.offsetHeight < innerHeight ? "center" : "start" });
    section.animate([{ boxShadow: "inset 0 0 0 3px #2b7fff" }, { boxShadow: "inset 0 0 0 3px #2b7fff" }, { boxShadow: "inset 0 0 0 3px #2b7fff00" }], 1200);
  };

  addEventListener("message", ({ origin, source, data }) => {
    if (origin !== editor || source !== parent) return;
    if (data.renew) renew().then(() => data.show && show(data.show), () => location.reload());
    else if (data.show && sectionOf(data.show)) show(data.show);
    else if (data.show) location.assign(`${home}#section-${data.show}`);
  });

  // A click on a section chooses it; one on a link follows that, as in the shop.
  document.addEventListener("click", (event) => {
    const section = event.target.closest("[id^=section-]");
    if (section && !event.target.closest("a, button, input, summary, label")) tell({ chosen: section.id.slice("section-".length) });
  });

  tell({ ready: true });
})();
