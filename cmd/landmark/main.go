// Command landmark is the 标志性成果进展看板: one binary with the web server
// and the office's commands.
package main

func main() {}
