# Passed as CMAKE_PROJECT_INCLUDE. The targets that the ROS 2 wheels export name include directories
# of the machine that built them; CMake stops at those. At the end of the directory, every absolute
# include directory of an imported target that does not exist here is dropped.

function(_drop_missing_includes)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(includes ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(NOT includes)
      continue()
    endif()
    set(kept "")
    foreach(include IN LISTS includes)
      if(NOT IS_ABSOLUTE "${include}" OR EXISTS "${include}")
        list(APPEND kept "${include}")
      endif()
    endforeach()
    set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${kept}")
  endforeach()
endfunction()

cmake_language(DEFER CALL _drop_missing_includes)
