# Compiler flags of every floor; what differs between presets is in CMakePresets.json.
option(PARLEY_WERROR "Warnings are errors" OFF)
set(PARLEY_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
option(PARLEY_FUZZ "Build the libFuzzer targets (clang)" OFF)

add_library(parley_flags INTERFACE)
target_compile_definitions(parley_flags INTERFACE _GNU_SOURCE PARLEY_VERSION="${PROJECT_VERSION}")
target_compile_options(parley_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith -Wcast-qual -Wformat=2 -fno-strict-aliasing -fvisibility=hidden
    -fstack-protector-strong)
if(PARLEY_WERROR)
    target_compile_options(parley_flags INTERFACE -Werror)
endif()
if(PARLEY_SANITIZE)
    target_compile_options(parley_flags INTERFACE -fsanitize=${PARLEY_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(parley_flags INTERFACE -fsanitize=${PARLEY_SANITIZE})
endif()
if(PARLEY_FUZZ)
    target_compile_options(parley_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    target_compile_options(parley_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    target_link_options(parley_flags INTERFACE -pie -Wl,-z,relro,-z,now)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT ipo OUTPUT why)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${ipo})
endif()
