// Measures the layout of a page: nothing cut off, nothing over something else, nothing out of the window.
() => {
  const problems = [];
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".flowlet-unseen");
  const scroller = (element) => {
    for (let parent = element.parentElement; parent && parent !== document.body; parent = parent.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(parent).overflowY) && parent.scrollHeight > parent.clientHeight) return parent;
    }
    return null;
  };
  const name = (element) => `${element.tagName.toLowerCase()} '${(element.textContent || element.value || "").trim().slice(0, 40)}'`;
  const seen = [...document.querySelectorAll("main *, .flowlet *")].filter((element, at, all) => all.indexOf(element) === at && isSeen(element));

  for (const element of seen) {
    const { overflowX, overflowY } = getComputedStyle(element);
    const isField = /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName); // the text of a field is scrolled
    if (isField) continue;
    if (element.clientWidth && overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1) problems.push(`cut off at the side: ${name(element)}`);
    if (element.clientHeight && overflowY === "hidden" && element.scrollHeight > element.clientHeight + 1) problems.push(`cut off below: ${name(element)}`);
  }

  // the boxes that hold a text of their own, or are a control; what scrolls lies under what stays by design
  const boxes = [];
  for (const element of seen) {
    if (scroller(element)) continue;
    if (/^(INPUT|TEXTAREA|SELECT|BUTTON|IMG)$/.test(element.tagName) || element.classList.contains("flowlet-button")) {
      boxes.push([element, element.getBoundingClientRect()]);
      continue;
    }
    if (element.closest("button, .flowlet-button, select")) continue;
    for (const text of element.childNodes) {
      if (text.nodeType !== Node.TEXT_NODE || !text.textContent.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(text);
      for (const box of range.getClientRects()) boxes.push([element, box]);
    }
  }
  for (const [at, [one, a]] of boxes.entries()) {
    if (a.left < -1 || a.right > innerWidth + 1) problems.push(`out of the window: ${name(one)}`);
    for (const [other, b] of boxes.slice(at + 1)) {
      if (one === other || one.contains(other) || other.contains(one)) continue;
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width > 2 && height > 4) problems.push(`${name(one)} lies over ${name(other)}`); // lines of text touch
    }
  }
  return problems;
}
