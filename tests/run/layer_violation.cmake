# SPDX-License-Identifier: Apache-2.0
# Test: a file in the fp layer that includes "ops/op.hpp" does not compile, for want of that file.
#
# cmake -DCOMPILER=c++ -DINCLUDES="folders that target ulpaudit_fp hands on" -DLAYERS=build/…/layers
#       -P layer_violation.cmake
# Controls: without that include the file compiles, and so it does with it once the ops layer is
# let in; so the failure is the arrow's work, and nothing else's.
cmake_minimum_required(VERSION 3.25)

foreach(name COMPILER INCLUDES LAYERS)
  if(NOT ${name})
    message(FATAL_ERROR "-D${name}=… is missing")
  endif()
endforeach()
set(source ${CMAKE_CURRENT_LIST_DIR}/layer_violation.cpp)
set(header ops/op.hpp)
set(forbid "-DFORBIDDEN=\"${header}\"")
set(ENV{LC_ALL} C)

# compile(RESULT OUTPUT args…)
function(compile result output)
  set(flags ${INCLUDES})
  list(TRANSFORM flags PREPEND -I)
  execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only ${flags} ${ARGN} ${source}
                  RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${result} "${status}" PARENT_SCOPE)
  set(${output} "${text}" PARENT_SCOPE)
endfunction()

compile(status text)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "a rightful file of the fp layer does not compile (${status}):\n${text}")
endif()

compile(status text ${forbid} -I${LAYERS}/ops)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${header} does not compile even where it is allowed (${status}):\n${text}")
endif()

compile(status text ${forbid})
if(status EQUAL 0)
  message(FATAL_ERROR "the fp layer can include ${header}: the arrows of the layers are broken")
endif()
# g++ and clang word it differently.
if(NOT text MATCHES "${header}: No such file" AND NOT text MATCHES "'${header}' file not found")
  message(FATAL_ERROR "it fails for another reason than the missing ${header}:\n${text}")
endif()
