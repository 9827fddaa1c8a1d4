package main

import (
	"errors"
	"io"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/controller"
)

// call is one webhook, as a Canary object has it, and the moment in which it is called.
type call struct {
	Name      string                  `json:"name"`
	Namespace string                  `json:"namespace"`
	Phase     flaggerv1.CanaryPhase   `json:"phase"`
	Revision  string                  `json:"revision"`
	Hook      flaggerv1.CanaryWebhook `json:"hook"`
	// Event is what an event hook is told, of which type; nil for all other hooks.
	Event *struct {
		Message string `json:"message"`
		Type    string `json:"type"`
	} `json:"event"`
}

// concluded is what Flagger makes of the answer.
type concluded struct {
	// Error is what it shows its user where the hook has failed; nil where it has passed.
	Error *string `json:"error"`
}

// hooks calls one webhook after the other.
func hooks(w *wire) error {
	for {
		var asked call
		if err := w.asked.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var told concluded
		if err := asked.make(); err != nil {
			text := err.Error()
			told.Error = &text
		}
		if err := w.told.Encode(told); err != nil {
			return err
		}
	}
}

func (c *call) make() error {
	canary := flaggerv1.Canary{}
	canary.Name, canary.Namespace = c.Name, c.Namespace
	canary.Status.Phase = c.Phase
	// The checksum in payloads is made of what was applied last.
	canary.Status.LastAppliedSpec = c.Revision
	if c.Event != nil {
		return controller.CallEventWebhook(&canary, c.Hook, c.Event.Message, c.Event.Type)
	}
	return controller.CallWebhook(canary, c.Phase, c.Hook)
}
