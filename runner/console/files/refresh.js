// Looks for the page anew every fifteen seconds, as long as somebody sees it; without scripts, reload it by hand.
"use strict";
async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { credentials: "same-origin", redirect: "error", headers: { "X-Refresh": "1" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const shown = document.getElementById("live");
    if (fresh && shown && !shown.contains(document.activeElement)) shown.replaceWith(document.adoptNode(fresh));
  } catch {
    // Signed out, or not reachable: what is shown stays, with its time at the foot of the page.
  }
}
setInterval(refresh, 15000);
