// The limit: mj_step in C, one pinned thread a core, nothing else.
// mj_steps MODEL.mjb CONTROLS STATES THREADS ROBOTS PERIODS SUBSTEPS ORDER
// CONTROLS holds float64 [ROBOTS][PERIODS][nu], STATES [ROBOTS][nq + nv].
// ORDER "robots": each robot to its end before the next, in one mjData that stays in the cache.
// Nothing can act on what it sees in that order. ORDER "periods": every robot of a thread passes a
// period before any passes the next, as with a policy in the loop; states are kept in between.
// Prints physics steps a second.
#define _GNU_SOURCE
#include <mujoco/mujoco.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static mjModel* model;
static double *controls, *states;
static int threads, robots, periods, substeps, by_periods;
static pthread_barrier_t barrier;

static void start(mjData* data, int robot) {
  mj_resetData(model, data);
  const double* state = states + (size_t)robot * (model->nq + model->nv);
  memcpy(data->qpos, state, model->nq * sizeof(double));
  memcpy(data->qvel, state + model->nq, model->nv * sizeof(double));
}

static void pass(mjData* data, int robot, int period) {
  const double* row = controls + ((size_t)robot * periods + period) * model->nu;
  memcpy(data->ctrl, row, model->nu * sizeof(double));
  for (int k = 0; k < substeps; k++) mj_step(model, data);
}

static void* work(void* argument) {
  long id = (long)argument;
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(id, &cpus);
  pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
  mjData* data = mj_makeData(model);
  const int all = mjSTATE_INTEGRATION;
  size_t size = mj_stateSize(model, all);
  double* kept = malloc(((size_t)robots / threads + 1) * size * sizeof(double));
  for (int robot = id, i = 0; robot < robots; robot += threads, i++) {
    start(data, robot);
    mj_getState(model, data, kept + i * size, all);
  }
  pthread_barrier_wait(&barrier);
  if (by_periods) {
    for (int period = 0; period < periods; period++) {
      for (int robot = id, i = 0; robot < robots; robot += threads, i++) {
        mj_setState(model, data, kept + i * size, all);
        pass(data, robot, period);
        mj_getState(model, data, kept + i * size, all);
      }
    }
  } else {
    for (int robot = id; robot < robots; robot += threads) {
      start(data, robot);
      for (int period = 0; period < periods; period++) pass(data, robot, period);
    }
  }
  pthread_barrier_wait(&barrier);
  free(kept);
  mj_deleteData(data);
  return NULL;
}

static double* doubles(const char* file, size_t count) {
  double* values = malloc(count * sizeof(double));
  FILE* in = fopen(file, "rb");
  if (!in || fread(values, sizeof(double), count, in) != count) exit(3);
  fclose(in);
  return values;
}

int main(int argc, char** argv) {
  if (argc != 9) return 2;
  model = mj_loadModel(argv[1], NULL);
  if (!model) return 3;
  threads = atoi(argv[4]), robots = atoi(argv[5]), periods = atoi(argv[6]);
  substeps = atoi(argv[7]), by_periods = !strcmp(argv[8], "periods");
  controls = doubles(argv[2], (size_t)robots * periods * model->nu);
  states = doubles(argv[3], (size_t)robots * (model->nq + model->nv));
  pthread_barrier_init(&barrier, NULL, threads + 1);
  pthread_t pool[256];
  for (long i = 0; i < threads; i++) pthread_create(&pool[i], NULL, work, (void*)i);
  struct timespec began, ended;
  pthread_barrier_wait(&barrier);
  clock_gettime(CLOCK_MONOTONIC, &began);
  pthread_barrier_wait(&barrier);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  double seconds = ended.tv_sec - began.tv_sec + 1e-9 * (ended.tv_nsec - began.tv_nsec);
  printf("%.1f\n", (double)robots * periods * substeps / seconds);
  return 0;
}
