# Whether the CUDA part is built: SAFEROUTE_CUDA_FOUND, and where it is the CUDA language with its flags. The machine needs
# neither a GPU nor a driver for it.
include_guard()

set(SAFEROUTE_CUDA auto CACHE STRING "CUDA part: on, off, or auto (where nvcc and the headers of cuBLASLt are found)")
set_property(CACHE SAFEROUTE_CUDA PROPERTY STRINGS auto on off)
# The last is PTX, for GPUs newer than this list.
set(SAFEROUTE_CUDA_ARCHITECTURES "80-real;86-real;89-real;90a-real;90-virtual" CACHE STRING
    "GPUs that the CUDA part is compiled for, as CMake names architectures")
set(saferoute_cuda_oldest_nvcc 13.0) # its functions of graphs take the data of edges
set(saferoute_cuda_oldest_cublas 12.9) # scales per row and per column of FP8 products came with it

set(SAFEROUTE_CUDA_FOUND FALSE)
set(SAFEROUTE_CUDA_MISSING "")
string(TOLOWER "${SAFEROUTE_CUDA}" saferoute_cuda_mode)
if(saferoute_cuda_mode STREQUAL "off")
  set(SAFEROUTE_CUDA_MISSING "SAFEROUTE_CUDA is off")
elseif(NOT saferoute_cuda_mode MATCHES "^(on|auto)$")
  message(FATAL_ERROR "SAFEROUTE_CUDA is '${SAFEROUTE_CUDA}', it must be on, off or auto")
else()
  include(CheckLanguage)
  check_language(CUDA)
  find_package(CublasLt ${saferoute_cuda_oldest_cublas})
  if(NOT CMAKE_CUDA_COMPILER)
    set(SAFEROUTE_CUDA_MISSING "nvcc was not found")
  elseif(NOT CublasLt_FOUND)
    set(SAFEROUTE_CUDA_MISSING "the headers of cuBLASLt ${saferoute_cuda_oldest_cublas} or newer were not found: \
SAFEROUTE_CUBLAS_INCLUDE names their folder, node scripts/cublas-headers.mjs fetches them")
  else()
    set(CMAKE_CUDA_ARCHITECTURES ${SAFEROUTE_CUDA_ARCHITECTURES})
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS saferoute_cuda_oldest_nvcc)
      set(SAFEROUTE_CUDA_MISSING "nvcc is ${CMAKE_CUDA_COMPILER_VERSION}, ${saferoute_cuda_oldest_nvcc} is needed")
    else()
      set(SAFEROUTE_CUDA_FOUND TRUE)
    endif()
  endif()
endif()

if(SAFEROUTE_CUDA_FOUND)
  message(STATUS "CUDA part: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, cuBLASLt ${CublasLt_VERSION}, ${SAFEROUTE_CUDA_ARCHITECTURES}")
  # CMake 3.25 and older don't know how to ask nvcc for C++20, which the targets ask for.
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  endif()
  set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
elseif(saferoute_cuda_mode STREQUAL "on")
  message(FATAL_ERROR "SAFEROUTE_CUDA is on, but ${SAFEROUTE_CUDA_MISSING}")
else()
  message(STATUS "CUDA part left out: ${SAFEROUTE_CUDA_MISSING}")
endif()
