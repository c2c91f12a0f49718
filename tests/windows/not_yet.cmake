# Tests that are not built for Windows, and why: CTest counts them as skipped. What is needed for
# most is a test program without fork(), unix sockets or a shell.
set(SW_NOT_YET
    "unit.buffer|ends a child process on purpose (fork)"
    "unit.file|modes, links and locks of POSIX: windows.platform has a part of it"
    "unit.path|paths of POSIX: windows.platform is its twin"
    "unit.file_sink|limits of file size (setrlimit), FIFOs"
    "unit.config_load|3 of its 14 tests are about modes and paths of POSIX"
    "unit.platform|poll(), signals and FIFOs: windows.platform has a part of it"
    "unit.process|programs are shell scripts: windows.platform is its twin"
    "unit.exec_source|programs are shell scripts"
    "unit.resolve|puts its own name service in front of the C library's (dlsym)"
    "unit.udp|puts its own sockets in front of the C library's (dlsym)"
    "unit.syslog_sink|puts its own sockets in front of the C library's (dlsym)"
    "unit.http|a server of its own on POSIX sockets"
    "unit.library|loads libcurl.so.4"
    "unit.journal_file|links, and bytes changed in place (pwrite)"
    "unit.replay_source|FIFOs"
    "unit.samba_source|Samba runs on Linux"
    "unit.smbstatus_json|Samba runs on Linux"
    "unit.smbstatus_text|Samba runs on Linux"
    "conformance.sink|servers of its own on POSIX sockets"
    "crash.fault_vfs|the VFS that fails is written over POSIX"
    "crash.journal_faults|the VFS that fails is written over POSIX"
    "crash.journal_full_disk|mounts a small file system"
    "golden.rfc3164|sets the time zone by TZ"
    "fuzz.smbstatus_json|Samba runs on Linux"
    "fuzz.smbstatus_text|Samba runs on Linux"
)

# Sets *result to whether the test is one of them, and then adds the test that says so.
function(sw_not_yet test result)
    set(${result} OFF PARENT_SCOPE)
    if(NOT WIN32)
        return()
    endif()
    foreach(entry IN LISTS SW_NOT_YET)
        string(REPLACE "|" ";" parts "${entry}")
        list(GET parts 0 name)
        list(GET parts 1 why)
        if(name STREQUAL test)
            add_test(NAME ${test} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${why}")
            set_tests_properties(${test} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped: ")
            set(${result} ON PARENT_SCOPE)
        endif()
    endforeach()
endfunction()
