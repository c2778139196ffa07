# One target per library; one file of the source touches each.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(pair crypto:libcrypto ssl:libssl jansson:jansson sqlite:sqlite3 srtp:libsrtp2 nice:nice
        websockets:libwebsockets)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 name)
    list(GET pair 1 package)
    pkg_check_modules(lib_${name} REQUIRED IMPORTED_TARGET ${package})
    add_library(lib_${name} ALIAS PkgConfig::lib_${name})
endforeach()
add_library(lib_ev INTERFACE IMPORTED)
find_library(ev_library ev REQUIRED)
target_link_libraries(lib_ev INTERFACE ${ev_library})
