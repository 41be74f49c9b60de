# precompile(<target> <header>...): parses the headers that nearly every file of a target reads
# once. The .sum beside each tells the compiler cache what a precompiled header holds (its bytes
# differ by folder): compiler, flags and the versions of the packages that the headers come from.
function(precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  string(SHA256 sum "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} \
${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS} ${LOCKSTEP_SANITIZE} ${fmt_VERSION} \
${nlohmann_json_VERSION} ${CLI11_VERSION} ${GTest_VERSION} ${ARGN}")
  get_target_property(folder ${target} BINARY_DIR)
  file(CONFIGURE OUTPUT ${folder}/CMakeFiles/${target}.dir/cmake_pch.hxx.gch.sum CONTENT "${sum}")
endfunction()
