fn main() -> std::process::ExitCode {
    spotlight::main()
}
