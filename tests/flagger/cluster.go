package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"

	flaggerv1 "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/canary"
	fakeflagger "github.com/fluxcd/flagger/pkg/client/clientset/versioned/fake"
	informers "github.com/fluxcd/flagger/pkg/client/informers/externalversions"
	"github.com/fluxcd/flagger/pkg/controller"
	"github.com/fluxcd/flagger/pkg/metrics/observers"
	"github.com/fluxcd/flagger/pkg/metrics/providers"
	"github.com/fluxcd/flagger/pkg/notifier"
	"github.com/fluxcd/flagger/pkg/router"
)

// advance is one tick. Flagger calls it by a timer of at least ten seconds; its name is not exported.
//
//go:linkname advance github.com/fluxcd/flagger/pkg/controller.(*Controller).advanceCanary
func advance(c *controller.Controller, name string, namespace string)

// cluster is an API server that exists in memory only, Flagger's controller, and what both are asked.
type cluster struct {
	kube      *fake.Clientset
	flagger   *fakeflagger.Clientset
	control   *controller.Controller
	mesh      router.Interface
	notes     *notes
	name      string
	namespace string
	workload  string
	revision  int
	// values are what metrics amount to next.
	values []*float64
}

// newCluster sets the object up, until it is initialized and waits for a new revision.
func newCluster(object *flaggerv1.Canary) (*cluster, error) {
	seen := &notes{}
	if err := seen.relay(object); err != nil {
		return nil, err
	}
	c := &cluster{
		kube: fake.NewSimpleClientset(), flagger: fakeflagger.NewSimpleClientset(object), notes: seen,
		name: object.Name, namespace: object.Namespace, workload: object.Spec.TargetRef.Name,
	}
	c.flagger.PrependReactor("update", "canaries", c.storeStatus)
	if _, err := c.kube.AppsV1().Deployments(c.namespace).Create(context.TODO(), c.deployment(), metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	c.controller(object.Spec.Provider)
	for range 3 {
		if err := c.tick("", false); err != nil {
			return nil, err
		}
	}
	if held, err := c.object(); err != nil || held.Status.Phase != flaggerv1.CanaryPhaseInitialized {
		return nil, fmt.Errorf("it cannot be set up: %v %v", err, c.notes.steps)
	}
	c.notes.clear()
	return c, nil
}

// storeStatus keeps the rest of an object as it is when its status is updated, as an API server does.
func (c *cluster) storeStatus(action clienttesting.Action) (bool, runtime.Object, error) {
	update, ok := action.(clienttesting.UpdateAction)
	if !ok || action.GetSubresource() != "status" {
		return false, nil, nil
	}
	held, err := c.flagger.Tracker().Get(action.GetResource(), c.namespace, c.name)
	if err != nil {
		return true, nil, err
	}
	kept := held.(*flaggerv1.Canary).DeepCopy()
	kept.Status = update.GetObject().(*flaggerv1.Canary).Status
	return true, kept, c.flagger.Tracker().Update(action.GetResource(), kept, c.namespace)
}

func (c *cluster) controller(provider string) {
	// Each controller registers its own metrics, under the same names.
	prometheus.DefaultRegisterer = prometheus.NewRegistry()
	quiet := zap.NewNop().Sugar()
	factory := informers.NewSharedInformerFactory(c.flagger, 0).Flagger().V1beta1()
	routers := router.NewFactory(nil, c.kube, c.flagger, nil, "", "", quiet, c.flagger, true)
	tracker := &canary.ConfigTracker{Logger: quiet, KubeClient: c.kube, FlaggerClient: c.flagger}
	c.mesh = routers.MeshRouter(provider, "app")
	c.control = controller.NewController(
		c.kube, nil, c.flagger,
		controller.Informers{CanaryInformer: factory.Canaries(), MetricInformer: factory.MetricTemplates(), AlertInformer: factory.AlertProviders()},
		time.Second, quiet, &notifier.NopNotifier{},
		canary.NewFactory(c.kube, c.flagger, nil, tracker, []string{"app"}, []string{""}, quiet),
		routers, &observers.Factory{Client: c}, provider, "", "", "", false, nil)
	// Events go through a queue that drops and gathers them; here each is wanted, in its place among the hooks.
	field := reflect.ValueOf(c.control).Elem().FieldByName("eventRecorder")
	recorder := (*record.EventRecorder)(unsafe.Pointer(field.UnsafeAddr()))
	*recorder = c.notes
}

// tick lets the controller look once, after the workloads have become ready, all but one.
func (c *cluster) tick(unready string, stuck bool) error {
	workloads := c.kube.AppsV1().Deployments(c.namespace)
	list, err := workloads.List(context.TODO(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, workload := range list.Items {
		pods := int32(1)
		if workload.Spec.Replicas != nil {
			pods = *workload.Spec.Replicas
		}
		workload.Status = appsv1.DeploymentStatus{
			ObservedGeneration: workload.Generation, Replicas: pods, UpdatedReplicas: pods, ReadyReplicas: pods, AvailableReplicas: pods,
		}
		if workload.Name == unready {
			workload.Status.UpdatedReplicas = 0
			if stuck {
				late := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"}
				workload.Status.Conditions = append(workload.Status.Conditions, late)
			}
		}
		if _, err := workloads.Update(context.TODO(), &workload, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	c.notes.clear()
	advance(c.control, c.name, c.namespace)
	return nil
}

// RunQuery is Flagger's interface for what is asked of metrics, and so is IsOnline.
func (c *cluster) RunQuery(string) (float64, error) {
	if len(c.values) == 0 {
		return 0, errors.New("nothing was said of this metric")
	}
	value := c.values[0]
	c.values = c.values[1:]
	if value == nil {
		return 0, providers.ErrNoValuesFound
	}
	return *value, nil
}

// IsOnline is always so.
func (c *cluster) IsOnline() (bool, error) {
	return true, nil
}

// revise gives the workload another image.
func (c *cluster) revise() error {
	workloads := c.kube.AppsV1().Deployments(c.namespace)
	workload, err := workloads.Get(context.TODO(), c.workload, metav1.GetOptions{})
	if err != nil {
		return err
	}
	c.revision++
	workload.Spec.Template.Spec = c.pod()
	_, err = workloads.Update(context.TODO(), workload, metav1.UpdateOptions{})
	c.notes.clear()
	return err
}

// told is what has happened since, and what there is now.
func (c *cluster) told() (*tick, error) {
	held, err := c.object()
	if err != nil {
		return nil, err
	}
	status := held.Status
	told := &tick{
		Phase: status.Phase, Weight: status.CanaryWeight, FailedChecks: status.FailedChecks, Iterations: status.Iterations,
		Steps: c.notes.steps,
	}
	told.Route.Primary, told.Route.Canary, told.Route.Mirrored, err = c.mesh.GetRoutes(held)
	return told, err
}

func (c *cluster) object() (*flaggerv1.Canary, error) {
	return c.flagger.FlaggerV1beta1().Canaries(c.namespace).Get(context.TODO(), c.name, metav1.GetOptions{})
}

func (c *cluster) deployment() *appsv1.Deployment {
	labels := map[string]string{"app": c.workload}
	pods := int32(1)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: c.workload, Namespace: c.namespace},
		Spec: appsv1.DeploymentSpec{
			Replicas: &pods,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: c.pod()},
		},
	}
}

func (c *cluster) pod() corev1.PodSpec {
	image := fmt.Sprintf("%s:%d", c.workload, c.revision)
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}}
}
