# cmake --install: the programs, our plug-ins, the headers for plug-ins, find_package(ulpaudit).
# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)

install(TARGETS ulpaudit ulpaudit-worker ulpaudit-attach RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET ulpaudit-mpi)
  install(TARGETS ulpaudit-mpi RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_BINARY_DIR}/bin/plugins/ DESTINATION lib/ulpaudit/plugins
        FILES_MATCHING PATTERN "*.so" PATTERN "libtorch-*" EXCLUDE)
install(DIRECTORY ${CMAKE_BINARY_DIR}/bin/plugins/ DESTINATION lib/ulpaudit/plugins
        COMPONENT libtorch FILES_MATCHING PATTERN "libtorch-*.so")
install(TARGETS ulpaudit_expect LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES harness/plugin/plugin.h harness/plugin/plugin.hpp harness/plugin/cuda.hpp harness/fp/half.hpp
              harness/embed/expect.hpp
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ulpaudit)
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
set(package_dir lib/cmake/ulpaudit)
configure_package_config_file(cmake/ulpauditConfig.cmake.in
  ${CMAKE_BINARY_DIR}/ulpauditConfig.cmake INSTALL_DESTINATION ${package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ulpauditConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ulpauditConfig.cmake
              ${CMAKE_BINARY_DIR}/ulpauditConfigVersion.cmake cmake/UlpauditPlugin.cmake
        DESTINATION ${package_dir})

# The manual page and the completion for bash, made by the program from its table of options.
if(NOT CMAKE_CROSSCOMPILING)
  set(manual ${CMAKE_BINARY_DIR}/share)
  add_custom_command(OUTPUT ${manual}/ulpaudit.1 ${manual}/ulpaudit.bash
    COMMAND ${CMAKE_COMMAND} -E make_directory ${manual}
    COMMAND ulpaudit manual > ${manual}/ulpaudit.1
    COMMAND ulpaudit manual --bash-completion > ${manual}/ulpaudit.bash
    DEPENDS ulpaudit VERBATIM)
  add_custom_target(manual ALL DEPENDS ${manual}/ulpaudit.1 ${manual}/ulpaudit.bash)
  install(FILES ${manual}/ulpaudit.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${manual}/ulpaudit.bash RENAME ulpaudit
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()

# cpack --config build/release/CPackConfig.cmake: a Debian package of what is installed.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the ulpaudit authors <ulpaudit@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Audits numerical kernels against certified truth")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION math)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Without the plug-ins over LibTorch: the package would need it, 100 MB.
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};${PROJECT_NAME};Unspecified;/")
include(CPack)
