"use strict";

// Table of contents: folded on narrow screens, open next to the text otherwise; the current section is highlighted.
const contents = document.querySelector("nav details");
const narrow = matchMedia("(max-width: 63.99rem)");
narrow.addEventListener("change", () => (contents.open = !narrow.matches));
for (const link of contents.querySelectorAll("a")) {
  link.addEventListener("click", () => narrow.matches && (contents.open = false));
}

const sections = [...document.querySelectorAll("section")];
function markSection() {
  const atEnd = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
  const above = (section) => atEnd || section.getBoundingClientRect().top < 0.3 * innerHeight;
  const current = sections.findLast(above)?.id;
  for (const link of contents.querySelectorAll("a")) {
    link.hash === `#${current}` ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  }
}
addEventListener("scroll", markSection, { passive: true });

// Content wider than the page can also be scrolled with the keyboard.
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const wide = target.scrollWidth > target.clientWidth + 1;
    target.classList.toggle("wide", wide);
    wide ? target.setAttribute("tabindex", "0") : target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(".scroll").forEach((frame) => widths.observe(frame));

// For local files, some browsers block the clipboard; then the text is selected and copied.
async function copyCode(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    if (!document.execCommand("copy")) return;
    getSelection().removeAllRanges();
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}
for (const button of document.querySelectorAll(".copy")) button.addEventListener("click", () => copyCode(button));
