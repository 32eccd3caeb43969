// Renews the parts of a page that carry data-live when the console says that there is something new. The page is whole
// without this script.
"use strict";
(() => {
  const live = () => [...document.querySelectorAll("[data-live]")];
  const events = document.body.dataset.events;
  if (!events || !live().length) return;
  const stale = document.getElementById("stale");
  let source = null;
  let isWanted = false;
  let isAsking = false;

  // Hold still while a person ticks, types, selects or stands in a part.
  const isChanged = (field) =>
    field.checked !== field.defaultChecked || (field.type !== "checkbox" && field.value !== field.defaultValue);
  const isInUse = (part) => {
    const selection = document.getSelection();
    return (
      part.contains(document.activeElement) ||
      (!selection.isCollapsed && selection.rangeCount > 0 && selection.getRangeAt(0).intersectsNode(part)) ||
      [...part.querySelectorAll("input:not([type=hidden])")].some(isChanged)
    );
  };
  const mayRenew = () => !document.hidden && !live().some(isInUse);

  const renew = async () => {
    isWanted = true;
    if (isAsking || !mayRenew()) return;
    isAsking = true;
    isWanted = false;
    try {
      const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, redirect: "manual" });
      stale.hidden = answer.ok;
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!mayRenew()) {
        isWanted = true;
        return;
      }
      for (const part of live()) {
        const renewed = page.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
        if (renewed && !renewed.isEqualNode(part)) part.replaceWith(document.adoptNode(renewed));
      }
    } catch {
      stale.hidden = false;
    } finally {
      isAsking = false;
    }
  };
  const catchUp = () => {
    if (isWanted) renew();
  };

  // A hidden page listens to nothing: browsers have six connections to a host, for all of its pages.
  const listen = () => {
    if (document.hidden) {
      if (source) source.close();
      source = null;
    } else if (!source) {
      source = new EventSource(events);
      source.onmessage = renew;
      source.onerror = () => (stale.hidden = false);
      source.onopen = () => (stale.hidden = true);
    }
  };
  document.addEventListener("visibilitychange", () => {
    listen();
    catchUp();
  });
  for (const event of ["selectionchange", "change", "focusin", "focusout"]) {
    document.addEventListener(event, () => setTimeout(catchUp));
  }
  listen();
})();
