#pragma once

#include <regex>
