# flatbuffers_schema(<library> <schema.fbs>): the typed reader of a schema of our own, with the tables
# that let a reader walk a table's fields by name.
function(flatbuffers_schema library schema)
  if(NOT EXISTS ${schema})
    return()
  endif()
  get_filename_component(name ${schema} NAME_WE)
  set(out ${CMAKE_BINARY_DIR}/gen/flatbuffers/${name}_generated.h)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${FLATC} --cpp --scoped-enums --reflect-types --reflect-names
            -o ${CMAKE_BINARY_DIR}/gen/flatbuffers ${schema}
    DEPENDS ${schema} VERBATIM)
  target_sources(${library} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES GENERATED TRUE HEADER_FILE_ONLY TRUE)
endfunction()
