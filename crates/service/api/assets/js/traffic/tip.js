// What is under the pointer, in words. Whoever has no pointer has the table.

/// Pixels.
const NEAR = 12;

export function tip(place) {
  const box = document.createElement("p");
  box.className = "tip";
  box.hidden = true;
  place.append(box);
  let marks = [];
  let pointer = null;

  function show() {
    const distance = ({ x, y }) => Math.hypot(x - pointer.x, y - pointer.y);
    const near = pointer && marks.filter((it) => distance(it) < NEAR).sort((a, b) => distance(a) - distance(b))[0];
    box.hidden = !near;
    if (!near) return;
    box.textContent = near.text;
    const left = Math.min(near.x + 10, place.clientWidth - box.offsetWidth - 4);
    // By its properties: the page's policy allows no style in the markup, and these are none.
    box.style.left = `${Math.max(left, 0)}px`;
    box.style.top = `${Math.max(near.y - 34, 0)}px`;
  }

  place.addEventListener("pointermove", (event) => {
    const { left, top } = place.getBoundingClientRect();
    pointer = { x: event.clientX - left, y: event.clientY - top };
    show();
  });
  place.addEventListener("pointerleave", () => {
    pointer = null;
    show();
  });
  return {
    over(placed) {
      marks = placed;
      if (pointer) show();
    },
  };
}
