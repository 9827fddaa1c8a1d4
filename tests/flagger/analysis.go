package main

import (
	"errors"
	"fmt"
	"io"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"sigs.k8s.io/yaml"
)

// wish is what is to happen next: an object that is set up, a new revision of its workload, or ticks.
type wish struct {
	// Canary is the object as YAML, given first and once.
	Canary string `json:"canary"`
	// Revise gives the workload another revision.
	Revise bool `json:"revise"`
	// Tick lets the controller look at the object once.
	Tick bool `json:"tick"`
	// Values are what metrics amount to in that tick, in the order in which they are asked for; nil where there are none.
	Values []*float64 `json:"values"`
	// Unready names a workload whose pods are not ready in that tick, and Stuck says that they never will be.
	Unready string `json:"unready"`
	Stuck   bool   `json:"stuck"`
}

// tick is what the controller did, and the object after it.
type tick struct {
	Phase        flaggerv1.CanaryPhase `json:"phase"`
	Weight       int                   `json:"weight"`
	FailedChecks int                   `json:"failed_checks"`
	Iterations   int                   `json:"iterations"`
	Route        route                 `json:"route"`
	Steps        []*step               `json:"steps"`
}

// route is where the mesh sends traffic.
type route struct {
	Primary  int  `json:"primary"`
	Canary   int  `json:"canary"`
	Mirrored bool `json:"mirrored"`
}

// analysis plays whole analyses with Flagger's controller.
func analysis(w *wire) error {
	var held *cluster
	for {
		var asked wish
		if err := w.asked.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var err error
		switch {
		case asked.Canary != "":
			var canary flaggerv1.Canary
			if err = yaml.UnmarshalStrict([]byte(asked.Canary), &canary); err == nil {
				held, err = newCluster(&canary)
			}
		case held == nil:
			err = errors.New("there is no object yet")
		case asked.Revise:
			err = held.revise()
		case asked.Tick:
			held.values = asked.Values
			err = held.tick(asked.Unready, asked.Stuck)
		default:
			err = fmt.Errorf("nothing is wished for")
		}
		if err != nil {
			return err
		}
		told, err := held.told()
		if err != nil {
			return err
		}
		if err := w.told.Encode(told); err != nil {
			return err
		}
	}
}
