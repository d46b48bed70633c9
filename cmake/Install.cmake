# Headers, package files for find_package, and weir.pc for pkg-config.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/weir")

install(TARGETS weir EXPORT weir-targets)
install(EXPORT weir-targets NAMESPACE weir:: DESTINATION "${package_dir}")
install(DIRECTORY include/weir DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

configure_package_config_file(cmake/weirConfig.cmake.in weirConfig.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(weirConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/weirConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/weirConfigVersion.cmake"
        cmake/FindNCCL.cmake cmake/kernels.cu cmake/sparsifiers.cu DESTINATION "${package_dir}")

# weir.pc finds its prefix from where it lies, so that an installed tree can be moved.
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
file(RELATIVE_PATH up_to_prefix "/prefix/${pkgconfig_dir}" "/prefix")
configure_file(cmake/weir.pc.in weir.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/weir.pc" DESTINATION "${pkgconfig_dir}")
