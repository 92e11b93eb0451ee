# The headers of cuBLASLt; the library itself is loaded at run time. Sets CublasLt_FOUND, CublasLt_VERSION and the target
# CublasLt::headers. Looked for in SAFEROUTE_CUBLAS_INCLUDE (a variable of CMake or of the environment), where
# scripts/cublas-headers.mjs puts them, in the toolkit of nvcc, and in Python's packages, which PyTorch brings along.
set(SAFEROUTE_CUBLAS_INCLUDE "" CACHE PATH "Folder of cublasLt.h; empty: it is looked for")

set(cublaslt_folders)
if(SAFEROUTE_CUBLAS_INCLUDE)
  list(APPEND cublaslt_folders "${SAFEROUTE_CUBLAS_INCLUDE}")
elseif(DEFINED ENV{SAFEROUTE_CUBLAS_INCLUDE})
  list(APPEND cublaslt_folders "$ENV{SAFEROUTE_CUBLAS_INCLUDE}")
endif()
list(APPEND cublaslt_folders "${PROJECT_SOURCE_DIR}/build/cublas-headers/include")
if(CMAKE_CUDA_COMPILER)
  # Distributions have a script in nvcc's place; the real one says where its toolkit is.
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --dryrun -x cu -c - OUTPUT_QUIET ERROR_VARIABLE cublaslt_dryrun)
  if(cublaslt_dryrun MATCHES "#\\$ TOP=([^\n]+)")
    string(STRIP "${CMAKE_MATCH_1}" cublaslt_toolkit)
    file(GLOB cublaslt_toolkit_folders "${cublaslt_toolkit}/include" "${cublaslt_toolkit}/targets/*/include")
    list(APPEND cublaslt_folders ${cublaslt_toolkit_folders})
  endif()
endif()
find_program(SAFEROUTE_PYTHON NAMES python3 python)
if(SAFEROUTE_PYTHON)
  execute_process(
    COMMAND ${SAFEROUTE_PYTHON} -c "import nvidia\nprint(';'.join(nvidia.__path__))"
    OUTPUT_VARIABLE cublaslt_packages ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE
  )
  foreach(folder IN LISTS cublaslt_packages)
    list(APPEND cublaslt_folders "${folder}/cu13/include" "${folder}/cublas/include")
  endforeach()
endif()

# A folder is taken only if its version will do, so that an old toolkit hides no newer package.
set(CublasLt_INCLUDE_DIR "")
set(CublasLt_VERSION "")
foreach(folder IN LISTS cublaslt_folders)
  if(NOT EXISTS "${folder}/cublasLt.h" OR NOT EXISTS "${folder}/cublas_api.h")
    continue()
  endif()
  set(version "")
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS "${folder}/cublas_api.h" line REGEX "#define CUBLAS_VER_${part} +[0-9]+")
    string(REGEX REPLACE "[^0-9]*([0-9]+)" "\\1" number "${line}")
    list(APPEND version ${number})
  endforeach()
  list(JOIN version "." version)
  if(NOT CublasLt_FIND_VERSION OR version VERSION_GREATER_EQUAL CublasLt_FIND_VERSION)
    set(CublasLt_INCLUDE_DIR "${folder}")
    set(CublasLt_VERSION "${version}")
    break()
  endif()
endforeach()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CublasLt REQUIRED_VARS CublasLt_INCLUDE_DIR VERSION_VAR CublasLt_VERSION)
if(CublasLt_FOUND AND NOT TARGET CublasLt::headers)
  add_library(CublasLt::headers INTERFACE IMPORTED)
  target_include_directories(CublasLt::headers SYSTEM INTERFACE "${CublasLt_INCLUDE_DIR}")
endif()
