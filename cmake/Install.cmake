# cmake --install: the programs, our plug-ins, the headers for plug-ins, find_package(ulpaudit).
include(CMakePackageConfigHelpers)

install(TARGETS ulpaudit ulpaudit-worker ulpaudit-attach RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET ulpaudit-mpi)
  install(TARGETS ulpaudit-mpi RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_BINARY_DIR}/bin/plugins/ DESTINATION lib/ulpaudit/plugins
        FILES_MATCHING PATTERN "*.so")
install(FILES harness/plugin/plugin.h harness/plugin/plugin.hpp harness/fp/half.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ulpaudit)
set(package_dir lib/cmake/ulpaudit)
configure_package_config_file(cmake/ulpauditConfig.cmake.in
  ${CMAKE_BINARY_DIR}/ulpauditConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ulpauditConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ulpauditConfig.cmake
              ${CMAKE_BINARY_DIR}/ulpauditConfigVersion.cmake cmake/UlpauditPlugin.cmake
        DESTINATION ${package_dir})
