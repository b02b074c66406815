"""Photographs to paintings. Knows no HTTP and nobody's name.

The data path, in order:

1. `sources.stage` keeps a file in the web process (header only, known by a keyed hash), `sources.admit` has it read.
2. `renditions.commission` asks for a source in a recipe; what is painted already is found at once.
3. `queue` wakes a worker, `jobs` is its door, and `turns` says whose work is next: lanes take turns, a photo each.
4. `sources.read` decodes once: canvas, fingerprints, thumbnails; then its commissions find or make renditions, with
   quick previews when the queue is long. `canvases` keeps what was decoded until it is painted.
5. `renditions.paint` claims and paints all that one canvas needs (`pipeline.paint`, `styles`, `kernels`), and files it
   in `store`. The worker's parent looks on (`supervision`): what nobody wants any more, or takes too long, is ended.
6. `exports` makes a painting's file in another format or at an intensity, when somebody wants to save it.
7. `events` tells open pages to look again; `turns.revive` brings back what a crash left behind.
"""
