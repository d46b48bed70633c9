#include "weir/exec/vocabulary.hpp"

#include <cstddef>
#include <span>
#include <type_traits>

namespace sketch {

/// A stream of no backend, with some verbs.
struct Stream {
  using memory_space = weir::DeviceSpace;
  using stream_type = int;
  using event_type = int;

  int stream() const;
  int make_event() const;
  template <class Function>
  void submit(Function function) const;
  void record(int const&) const;
  void wait(int const&) const;
  void synchronize(int const&) const;
  void synchronize() const;
  Stream fork() const;
  void* allocate(std::size_t) const;
  void deallocate(void*, std::size_t) const noexcept;

  // Found by argument-dependent lookup, as those of a backend are. These take float only.
  friend void set_zero(Stream const&, weir::ViewOn<float, Stream>);
  friend void fill(Stream const&, weir::ViewOn<float, Stream>, float);
  friend void copy(Stream const&, weir::ViewOn<float const, Stream>, weir::ViewOn<float, Stream>);
  friend void measure(Stream const&, weir::ViewOn<float const, Stream>, weir::Measurement*);
};

}  // namespace sketch

using sketch::Stream;

static_assert(std::is_same_v<weir::ViewOn<float, Stream>, weir::TensorView<float, weir::DeviceSpace>>);
static_assert(weir::CopyingBackend<Stream> && weir::MeasuringBackend<Stream>);
static_assert(!weir::CopyingBackend<Stream, double> && !weir::MeasuringBackend<Stream, double>);
static_assert(!weir::SummingBackend<Stream> && !weir::UpdatingBackend<Stream> &&
              !weir::ScalarBackend<Stream> && !weir::TransferringBackend<Stream>);
