# SPDX-License-Identifier: Apache-2.0
# Layers as targets: a layer sees the headers of the layers that it names, and of no other.
#
# Each layer's headers are reached as "LAYER/file.hpp" through an include folder of its own, which
# holds one symbolic link to the layer's sources. So an include of a layer that is not in DEPENDS
# does not compile.

function(ulpaudit_common_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # -Wrestrict: false alarms on std::string in g++ 12 (GCC bug 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                         $<$<BOOL:${ULPAUDIT_WERROR}>:-Werror>)
  # Contraction would change results of the fast judge and of kernels behind our back.
  target_compile_options(${target} PUBLIC -ffp-contract=off)
endfunction()

# ulpaudit_layer(NAME FOLDER path SOURCES a.cpp … DEPENDS fp ops … LIBS mpfr …)
function(ulpaudit_layer name)
  cmake_parse_arguments(ARG "" "FOLDER" "SOURCES;DEPENDS;LIBS" ${ARGN})
  set(root ${CMAKE_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/${ARG_FOLDER} ${root}/${name} SYMBOLIC)
  list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/${ARG_FOLDER}/)
  list(TRANSFORM ARG_DEPENDS PREPEND ulpaudit_)
  add_library(ulpaudit_${name} STATIC ${ARG_SOURCES})
  ulpaudit_common_options(ulpaudit_${name})
  target_include_directories(ulpaudit_${name} PUBLIC ${root})
  target_link_libraries(ulpaudit_${name} PUBLIC ${ARG_DEPENDS} ${ARG_LIBS})
endfunction()
