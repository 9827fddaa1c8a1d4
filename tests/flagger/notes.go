package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
)

// step is one hook that was called, or one event that was made.
type step struct {
	// Hook is its name, and Phase what it was told; both empty for an event.
	Hook  string `json:"hook,omitempty"`
	Phase string `json:"phase,omitempty"`
	// Status is what its last call was answered; 0 for no answer.
	Status int `json:"status,omitempty"`
	// Event is the text of an event, and Warning whether it is one.
	Event   string `json:"event,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

// notes is what happens, in order.
type notes struct {
	lock  sync.Mutex
	steps []*step
}

func (n *notes) clear() {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.steps = []*step{}
}

func (n *notes) add(s *step) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.steps = append(n.steps, s)
}

// relay puts a listener between Flagger and every hook of the object, which passes requests and answers on as they are.
func (n *notes) relay(object *flaggerv1.Canary) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	hooks := object.GetAnalysis().Webhooks
	for i := range hooks {
		name, there := hooks[i].Name, hooks[i].URL
		mux.HandleFunc(fmt.Sprintf("/%d", i), func(w http.ResponseWriter, asked *http.Request) { n.pass(name, there, w, asked) })
		hooks[i].URL = fmt.Sprintf("http://%s/%d", listener.Addr(), i)
	}
	// Flagger has a client for each call, and would leave its connection open for a while.
	server := &http.Server{Handler: mux}
	server.SetKeepAlivesEnabled(false)
	go server.Serve(listener)
	return nil
}

func (n *notes) pass(name, there string, w http.ResponseWriter, asked *http.Request) {
	body, err := io.ReadAll(asked.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var payload flaggerv1.CanaryWebhookPayload
	json.Unmarshal(body, &payload)
	seen := &step{Hook: name, Phase: string(payload.Phase)}
	n.add(seen)
	onward, err := http.NewRequestWithContext(asked.Context(), asked.Method, there, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	onward.Header = asked.Header
	answer, err := http.DefaultTransport.RoundTrip(onward)
	if err != nil {
		// No answer there is none here.
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	seen.Status = answer.StatusCode
	for key, values := range answer.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body)
}

// Event is Kubernetes's interface for events; so are the others.
func (n *notes) Event(_ runtime.Object, kind, _, message string) {
	n.add(&step{Event: message, Warning: kind == corev1.EventTypeWarning})
}

// Eventf is Event with a format.
func (n *notes) Eventf(object runtime.Object, kind, reason, format string, values ...interface{}) {
	n.Event(object, kind, reason, fmt.Sprintf(format, values...))
}

// AnnotatedEventf is Eventf with annotations, which nobody sees.
func (n *notes) AnnotatedEventf(object runtime.Object, _ map[string]string, kind, reason, format string, values ...interface{}) {
	n.Eventf(object, kind, reason, format, values...)
}
