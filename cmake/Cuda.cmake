# CUDA, where nvcc is found: ULPAUDIT_NVCC is false or its path, ULPAUDIT_NO_CUDA says why there is none.
# By custom commands, as the language CUDA of CMake would be tried out in each new build folder.
# SPDX-License-Identifier: Apache-2.0
option(ULPAUDIT_CUDA "Build the plug-in `cuda` and the judge on a GPU where nvcc is found" ON)
set(ULPAUDIT_CUDA_ARCHITECTURES 80 90 CACHE STRING "Architectures of the CUDA kernels (sm_…)")
find_program(ULPAUDIT_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
mark_as_advanced(ULPAUDIT_NVCC)
set(ULPAUDIT_NO_CUDA "")
if(CMAKE_CROSSCOMPILING)
  set(ULPAUDIT_NO_CUDA "cross build")
elseif(NOT ULPAUDIT_CUDA)
  set(ULPAUDIT_NO_CUDA "ULPAUDIT_CUDA is off")
elseif(NOT ULPAUDIT_NVCC)
  set(ULPAUDIT_NO_CUDA "nvcc not found")
else()
  # C++20, which the judge is written in.
  execute_process(COMMAND ${ULPAUDIT_NVCC} --version OUTPUT_VARIABLE nvcc_version)
  string(REGEX MATCH "release ([0-9]+)" nvcc_version "${nvcc_version}")
  if(NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 LESS 12)
    set(ULPAUDIT_NO_CUDA "nvcc 12 or later not found")
  endif()
endif()
if(ULPAUDIT_NO_CUDA STREQUAL "")
  cmake_path(GET ULPAUDIT_NVCC PARENT_PATH toolkit)
  cmake_path(GET toolkit PARENT_PATH toolkit)
  find_library(ULPAUDIT_CUDART cudart_static HINTS ${toolkit}
               PATH_SUFFIXES lib64 lib targets/x86_64-linux/lib REQUIRED)
  mark_as_advanced(ULPAUDIT_CUDART)
  # The run-time library, whole: it looks for the driver when it is first asked.
  add_library(ulpaudit_cudart INTERFACE)
  target_link_libraries(ulpaudit_cudart INTERFACE ${ULPAUDIT_CUDART} Threads::Threads ${CMAKE_DL_LIBS} rt)
  target_include_directories(ulpaudit_cudart SYSTEM INTERFACE ${toolkit}/include)
endif()

# ulpaudit_cuda_object(OBJECT SOURCE OPTIONS …): makes OBJECT of the CUDA file SOURCE.
function(ulpaudit_cuda_object object source)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "" "" "OPTIONS")
  set(architectures "")
  foreach(arch ${ULPAUDIT_CUDA_ARCHITECTURES})
    list(APPEND architectures -gencode arch=compute_${arch},code=sm_${arch})
  endforeach()
  cmake_path(GET object FILENAME name)
  add_custom_command(OUTPUT ${object}
    COMMAND ${ULPAUDIT_NVCC} -c -O3 ${ARG_OPTIONS} ${architectures} --threads 2 -MD -MF ${object}.d
            -ccbin ${CMAKE_CXX_COMPILER} -Xcompiler -fPIC,-fvisibility=hidden,-ffp-contract=off
            -o ${object} ${source}
    DEPENDS ${source} DEPFILE ${object}.d
    COMMENT "nvcc ${name}" VERBATIM)
endfunction()
