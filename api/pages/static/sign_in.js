// A link may carry the token behind "#", which a browser never sends to a server.
const carried = location.hash.slice(1);
if (carried) {
  document.getElementById("token").value = carried;
  history.replaceState(null, "", location.pathname + location.search);
}
