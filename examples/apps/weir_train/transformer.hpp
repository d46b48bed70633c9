#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "attention.hpp"
#include "dense.hpp"
#include "dense_layers.hpp"
#include "embeddings.hpp"
#include "feed_forward.hpp"
#include "network.hpp"
#include "patch_side.hpp"
#include "sequence_ends.hpp"

namespace weir_train {

/// Of the width of a block: 4, or 2 or 1 where that does not divide it.
constexpr std::size_t transformer_heads(std::size_t width) {
  return width % 4 == 0 ? 4 : width % 2 == 0 ? 2 : 1;
}

/// So many blocks, of attention and a feed-forward network four times as wide, whose matrices `make` makes,
/// and a normalisation.
template <class Real, class Make>
void add_blocks(typename Network<Real>::Layers& layers, std::size_t blocks, bool is_causal, Make& make) {
  using Matrices = typename Make::Matrices;
  Shape const shape = layers.back()->output();
  for (std::size_t block = 0; block < blocks; ++block) {
    std::size_t const heads = transformer_heads(shape.channels);
    layers.push_back(std::make_unique<Attention<Real, Matrices>>(shape, heads, is_causal, make));
    layers.push_back(std::make_unique<FeedForward<Real, Matrices>>(shape, 4 * shape.channels, make));
  }
  layers.push_back(std::make_unique<NormalisedSequence<Real>>(shape));
}

/// A language model: from each token of a sequence, and those before it, to the next one. `hidden` are the
/// widths of the blocks, which are all the same.
template <class Real, class Make = DenseLayers<Real>>
Network<Real> language_transformer(std::size_t length, std::size_t vocabulary,
                                   std::span<std::size_t const> hidden, Make make = {}) {
  typename Network<Real>::Layers layers;
  layers.push_back(std::make_unique<TokenEmbedding<Real>>(length, vocabulary, hidden.front()));
  add_blocks<Real>(layers, hidden.size(), true, make);
  layers.push_back(std::make_unique<DensePerPosition<Real>>(layers.back()->output(), vocabulary));
  return Network<Real>(std::move(layers));
}

/// A classifier of images that are cut into patches; by the mean over them.
template <class Real, class Make = DenseLayers<Real>>
Network<Real> patch_transformer(Shape image, std::span<std::size_t const> hidden, std::size_t classes,
                                Make make = {}) {
  typename Network<Real>::Layers layers;
  layers.push_back(std::make_unique<PatchEmbedding<Real>>(image, patch_side(image), hidden.front()));
  add_blocks<Real>(layers, hidden.size(), false, make);
  layers.push_back(std::make_unique<MeanOfSequence<Real>>(layers.back()->output()));
  layers.push_back(std::make_unique<Dense<Real>>(layers.back()->output(), classes, Activation::none));
  return Network<Real>(std::move(layers));
}

}  // namespace weir_train
