# flatbuffers_schema(<library> <schema.fbs>): the typed reader of a schema of our own, with the
# tables that let a reader walk a table's fields by name.
function(flatbuffers_schema library schema)
  if(NOT EXISTS ${schema})
    return()
  endif()
  get_filename_component(name ${schema} NAME_WE)
  set(out ${CMAKE_BINARY_DIR}/gen/flatbuffers/${name}_generated.h)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${FLATC} --cpp --scoped-enums --gen-object-api --reflect-types --reflect-names
            -o ${CMAKE_BINARY_DIR}/gen/flatbuffers ${schema}
    DEPENDS ${schema} VERBATIM)
  target_sources(${library} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES GENERATED TRUE HEADER_FILE_ONLY TRUE)
endfunction()

# protobuf_schema(<library> <schema.proto> <folder>): C++ classes of a schema of our own, in
# gen/<folder>.
function(protobuf_schema library schema folder)
  get_filename_component(name ${schema} NAME_WE)
  get_filename_component(from ${schema} DIRECTORY)
  set(out ${CMAKE_BINARY_DIR}/gen/${folder})
  file(MAKE_DIRECTORY ${out})
  add_custom_command(
    OUTPUT ${out}/${name}.pb.cc ${out}/${name}.pb.h
    COMMAND protobuf::protoc --cpp_out=${out} -I ${from} ${schema}
    DEPENDS ${schema} VERBATIM)
  target_sources(${library} PRIVATE ${out}/${name}.pb.cc ${out}/${name}.pb.h)
  set_source_files_properties(${out}/${name}.pb.cc PROPERTIES
    COMPILE_OPTIONS "-w" SKIP_PRECOMPILE_HEADERS ON INCLUDE_DIRECTORIES ${out})
endfunction()
