// Tells those who do not see the page what changed, and only that.

export function announce(sentence) {
  document.getElementById("announcer").textContent = sentence;
}
