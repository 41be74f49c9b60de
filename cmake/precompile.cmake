# precompile(<target> <header>...): parses the headers that nearly every file of a target reads
# once. The .sum beside each tells the compiler cache what a precompiled header holds (its bytes
# differ by folder): compiler, flags, the versions of the packages that the headers come from, and
# our own headers that ir/graph.h reads.
function(precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  file(GLOB own CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/*.h ${CMAKE_SOURCE_DIR}/src/ir/*.h)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${own})
  set(sums "")
  foreach(header IN LISTS own)
    file(SHA256 ${header} sum)
    list(APPEND sums ${sum})
  endforeach()
  get_target_property(options ${target} COMPILE_OPTIONS)
  string(SHA256 sum "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} \
${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_RELEASE} ${LOCKSTEP_SANITIZE} ${options} \
${fmt_VERSION} ${nlohmann_json_VERSION} ${CLI11_VERSION} ${GTest_VERSION} ${ARGN} ${sums}")
  get_target_property(folder ${target} BINARY_DIR)
  file(CONFIGURE OUTPUT ${folder}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum CONTENT "${sum}")
endfunction()

# in_batches(<out> <room> <file>...): the C++ files of a room with many small ones as some sixteen
# that include them, in <out>; a file's batch follows from its name, so that a new one moves no
# other. Two files of a batch that name a helper alike do not compile: rename one.
function(in_batches out room)
  set(batches "")
  foreach(file IN LISTS ARGN)
    get_filename_component(name ${file} NAME)
    string(MD5 digits ${name})
    string(SUBSTRING ${digits} 0 1 digit)
    list(APPEND batches ${digit})
    string(APPEND text_${digit} "#include \"${room}/${name}\"\n")
    set_property(SOURCE ${file} PROPERTY HEADER_FILE_ONLY TRUE)
  endforeach()
  list(REMOVE_DUPLICATES batches)
  set(files ${ARGN})
  foreach(digit IN LISTS batches)
    set(batch ${CMAKE_CURRENT_BINARY_DIR}/${room}_${digit}.cpp)
    file(CONFIGURE OUTPUT ${batch} CONTENT "${text_${digit}}" @ONLY)
    list(APPEND files ${batch})
  endforeach()
  set(${out} ${files} PARENT_SCOPE)
endfunction()
