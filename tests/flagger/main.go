// Flagger's own code, driven by tests over standard input and output, a line of JSON each.
//
//	flagger hooks      calls webhooks as Flagger's client calls them
//	flagger analysis   plays analyses with Flagger's controller
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	modes := map[string]func(*wire) error{"hooks": hooks, "analysis": analysis}
	if len(os.Args) != 2 || modes[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: flagger hooks|analysis")
		os.Exit(2)
	}
	input := bufio.NewReader(os.Stdin)
	if err := modes[os.Args[1]](&wire{json.NewDecoder(input), json.NewEncoder(os.Stdout)}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// wire is what the test asks and what it is told.
type wire struct {
	asked *json.Decoder
	told  *json.Encoder
}
