# The wrapper's store path. It is named by what it holds, so it is the same here, on Debian, and
# wherever a unit that names it was written (src/service/wrapper.ts computes the same one).
builtins.path {
  name = "sealaunch-wrapper";
  path = ../wrapper;
}
