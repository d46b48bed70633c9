#pragma once

#include "weir/core/error.hpp"
#include "weir/stage/recipe.hpp"
