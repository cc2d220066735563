(function () {
  var tip = document.getElementById("tip"), last = null;
  function told(mark) {
    if (!mark.hasAttribute("aria-label")) {
      var title = mark.querySelector(":scope > title");
      if (!title) return null;
      mark.setAttribute("aria-label", title.textContent);
      // Else the browser shows it, too.
      title.remove();
    }
    return mark.getAttribute("aria-label");
  }
  function show(event) {
    var mark = event.target.closest && event.target.closest("figure .hits rect, figure svg g");
    while (mark && !told(mark)) mark = mark.parentElement.closest("figure svg g");
    if (!mark) { tip.hidden = true; last = null; return; }
    if (mark !== last) { tip.textContent = told(mark); last = mark; }
    tip.hidden = false;
    var box = tip.getBoundingClientRect(), x = event.clientX + 14, y = event.clientY + 16;
    if (x + box.width > innerWidth - 8) x = Math.max(8, event.clientX - box.width - 14);
    if (y + box.height > innerHeight - 8) y = Math.max(8, event.clientY - box.height - 12);
    tip.style.left = x + "px";
    tip.style.top = y + "px";
  }
  document.addEventListener("pointermove", show);
  document.addEventListener("pointerdown", show);
  addEventListener("scroll", function () { tip.hidden = true; }, { passive: true });
})();
