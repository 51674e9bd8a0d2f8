// The islands of a shop: each makes pleasant what works without it, by the pages that are there
// anyhow. What it asks for is a page of the shop, and what it shows is a part of that page. Where
// something fails, the browser goes the way that it would have gone without a script.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // ask is a page of the shop, read.
  const ask = async (address, options) => {
    const answer = await fetch(address, options);
    return { answer, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
  };

  // plain says whether a click only means to follow the link here.
  const plain = (event) => !event.defaultPrevented && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

  // leading are the links of the page's head to a path.
  const leading = (path) => $$("header a[href]").filter((link) => link.pathname === path);

  for (const dialog of $$("dialog")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // beside it
    });
  }

  // The cart: how much is in it, and a drawer that shows it.
  const drawer = $("#drawer");
  if (drawer) {
    const home = drawer.dataset.cart;

    const count = (n) => {
      for (const link of leading(home)) {
        const badge = $(".count", link) ?? link.appendChild(Object.assign(document.createElement("span"), { className: "count" }));
        badge.textContent = n > 99 ? "99+" : String(n);
        badge.hidden = !n;
      }
    };

    const reach = "a[href], button, input:not([type=hidden])";

    // show puts the cart of a page into the cart's own page or, elsewhere, into the drawer.
    const show = (page) => {
      const cart = $("#cart", page);
      const own = $("main #cart");
      const place = own ?? $(".inside", drawer);
      const at = document.activeElement;
      const former = $$(reach, place).indexOf(at);
      if (cart) count(Number(cart.dataset.count));
      place.replaceChildren(...(cart ?? $("main", page)).childNodes);
      if (!own && !drawer.open) drawer.showModal();
      // Who has the keyboard stays where they were, and is told what it comes to now.
      if (former >= 0) ((at.id && document.getElementById(at.id)) || $$(reach, place)[former] || $("a[href], button", place))?.focus({ preventScroll: true });
      if (own) $("#told").textContent = ($(".notice.bad", own) ?? $(".totals .total", own) ?? $("h1", own))?.innerText ?? "";
    };

    document.addEventListener("submit", async (event) => {
      const form = event.target;
      const path = new URL(form.getAttribute("action") ?? "", location).pathname;
      const adds = path === `${home}/lines`;
      if (event.defaultPrevented || !path.startsWith(`${home}/`) || !(adds || form.closest("#drawer, #cart"))) return;
      event.preventDefault();
      if (form.ariaBusy === "true") return $(many, form) && soon($(many, form));
      form.ariaBusy = "true";
      try {
        show((await ask(path, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) })).page);
      } catch {
        form.submit();
      } finally {
        form.ariaBusy = null;
      }
    });

    // How many of a line: what is tapped shows at once, and is sent when one pauses. Meanwhile
    // the line may have been drawn anew.
    const many = ".count-of input[type=number]";
    const waiting = new Map();
    const soon = (field) => {
      clearTimeout(waiting.get(field.id));
      waiting.set(field.id, setTimeout(() => {
        const now = document.getElementById(field.id);
        if (!now) return;
        now.value = field.value;
        now.form.requestSubmit();
      }, 300));
    };

    document.addEventListener("change", (event) => event.target.matches(many) && soon(event.target));

    document.addEventListener("click", (event) => {
      const step = event.target.closest(".step");
      if (!step) return;
      event.preventDefault();
      const field = $("input", step.closest(".count-of"));
      field.value = Math.max(0, Math.min(Number(field.max), Number(field.value) + Number(step.dataset.by)));
      soon(field);
    });

    document.addEventListener("click", async (event) => {
      const link = event.target.closest("header a[href]");
      if (!link || link.pathname !== home || location.pathname === home || !plain(event)) return;
      event.preventDefault();
      try {
        show((await ask(home)).page);
      } catch {
        location.assign(link.href);
      }
    });

    const recount = () => fetch(`${home}/count`).then(async (answer) => answer.ok && count(Number(await answer.text())), () => {});
    recount();
    addEventListener("pageshow", (event) => event.persisted && recount()); // the browser kept the page, not the cart
  }

  // The search: what may be looked for, as one types.
  const finder = $("#finder");
  if (finder) {
    const field = $("input", finder);
    const found = $(".found", finder);
    let asked, waiting;

    const suggest = async () => {
      asked?.abort();
      asked = new AbortController();
      const words = field.value.trim();
      if (!words) return found.replaceChildren();
      const address = new URL(finder.dataset.suggestions, location);
      address.searchParams.set("q", words);
      try {
        const { answer, page } = await ask(address, { signal: asked.signal });
        if (answer.ok) found.replaceChildren(...page.body.childNodes);
      } catch {
        // Another letter was typed, or there is no connection: the form is still there.
      }
    };

    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(suggest, 120);
    });

    finder.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const stops = [field, ...$$("a", found)];
      const at = stops.indexOf(document.activeElement);
      if (at < 0) return;
      event.preventDefault();
      stops[(at + step + stops.length) % stops.length].focus();
    });

    const open = (words) => {
      finder.showModal();
      field.value = words;
      field.focus();
      suggest();
    };

    document.addEventListener("click", (event) => {
      const link = event.target.closest("header a[href]");
      if (!link || link.pathname !== finder.dataset.search || !plain(event)) return;
      event.preventDefault();
      open("");
    });

    // A theme may have a field in its head: what is typed there goes on here.
    document.addEventListener("input", (event) => {
      if (event.target.matches("header input[type=search]")) open(event.target.value);
    });
  }

  // A product: another variant takes the place of the one that was chosen.
  let chosen = 0;
  const choose = async (link) => {
    const turn = ++chosen;
    const at = $$("a.choice, span.choice").indexOf(link);
    const quantity = $("#quantity")?.value;
    let page;
    try {
      const asked = await ask(link.href);
      if (!asked.answer.ok) throw asked.answer;
      page = asked.page;
    } catch {
      return location.assign(link.href);
    }
    if (turn !== chosen) return;
    for (const part of $$("[data-part]")) {
      const now = $(`[data-part="${part.dataset.part}"]`, page);
      if (now && now.innerHTML !== part.innerHTML) part.replaceChildren(...now.childNodes);
    }
    history.replaceState(null, "", link.href);
    $$("a.choice, span.choice")[at]?.focus({ preventScroll: true });
    if (quantity && $("#quantity")) $("#quantity").value = quantity;
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.choice");
    if (!link || !plain(event)) return;
    event.preventDefault();
    choose(link);
  });

  // What is pointed at is likely to be chosen: its page is then in the browser's cache.
  document.addEventListener("pointerover", (event) => {
    const link = event.target.closest?.("a.choice");
    if (!link || link.dataset.fetched) return;
    link.dataset.fetched = "yes";
    fetch(link.href, { priority: "low" }).catch(() => {});
  });

  // The pictures of a product, one by one and as large as the screen.
  const viewer = $("#viewer");
  if (viewer) {
    const image = $(".stage", viewer).appendChild(new Image());
    const links = () => $$("a[data-picture]");
    let at = 0;

    const look = (n) => {
      const list = links();
      at = (n + list.length) % list.length;
      const small = $("img", list[at]);
      image.srcset = small.srcset;
      image.src = list[at].href;
      image.alt = small.alt;
      image.width = small.width;
      image.height = small.height;
      $("[role=status]", viewer).textContent = `${at + 1} / ${list.length}`;
      for (const button of $$("[data-step]", viewer)) button.hidden = list.length < 2;
    };

    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-picture]");
      const button = event.target.closest("[data-step]");
      if (button && viewer.contains(button)) return look(at + Number(button.dataset.step));
      if (!link || !plain(event)) return;
      event.preventDefault();
      look(links().indexOf(link));
      viewer.showModal();
    });

    viewer.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) look(at + (document.documentElement.dir === "rtl" ? -step : step));
    });
  }
})();
