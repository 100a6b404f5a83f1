// What is seen is looked at anew only while somebody sees it, and not while they are within it.
"use strict";
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden || event.target.contains(document.activeElement)) event.preventDefault();
});
