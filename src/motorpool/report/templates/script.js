// Draws a figure interactively when asked to; everything needed is in this file.
(function () {
  "use strict";
  var ready = false;
  function load() {
    if (ready) { return; }
    var script = document.createElement("script");
    script.textContent = document.getElementById("vega-bundle").textContent;
    document.head.appendChild(script);
    ready = true;
  }
  document.querySelectorAll("button[data-figure]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var figure = document.getElementById(button.dataset.figure);
      var stage = figure.querySelector(".interactive");
      var picture = figure.querySelector(".picture");
      if (button.getAttribute("aria-pressed") === "true") {
        stage.hidden = true;
        picture.hidden = false;
        button.setAttribute("aria-pressed", "false");
        button.textContent = "Explore with the pointer";
        return;
      }
      load();
      var spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      stage.hidden = false;
      picture.hidden = true;
      window.vegaEmbed(stage, spec, { renderer: "svg", actions: false, tooltip: true });
      button.setAttribute("aria-pressed", "true");
      button.textContent = "Back to the still picture";
    });
  });
})();
