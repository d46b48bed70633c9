// expect: fork
struct Stream {
#ifdef WEIR_FAIL_CONTROL
  Stream fork() const;
#endif
};

auto start(Stream const& stream) {
#ifdef WEIR_FAIL_CONTROL
  return stream.fork();
#else
  return stream.missing(); /* fork */
#endif
}
