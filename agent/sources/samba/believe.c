#include "agent/sources/samba/look.h"

/* A running smbd uses the folders it was started with: when smb.conf names others since, smbstatus
 * reads the wrong ones. */
static bool
believe_refresh_place(struct sw_samba_look *look)
{
    struct sw_samba_state *state = look->state;
    struct sw_smbd_place now;
    if (state->place.pid_file != NULL && !state->place.guessed && !state->place_doubted &&
        !look->request->occupied) {
        return true;
    }
    sw_smbd_place_find(&now, look->testparm, look->conf->smb_conf, look->request->deadline_ns,
        look->request->stop);
    if (state->place.pid_file != NULL && now.guessed) {
        sw_smbd_place_fini(&now);
        return true;
    }
    if (state->place.pid_file != NULL && !sw_smbd_place_equal(&state->place, &now) &&
        sw_smbd_place_state(&state->place, NULL) == SW_SMBD_RUNS) {
        sw_err_set(look->err,
            "smbd runs with %s, but smb.conf now says %s and %s: restart smbd, or put smb.conf "
            "right",
            state->place.pid_file, now.pid_file, now.locking_file);
        sw_smbd_place_fini(&now);
        return false;
    }
    sw_smbd_place_fini(&state->place);
    state->place = now;
    return true;
}

/* Those who were there are gone only where smbd surely is: the guess is of Samba's own default, for
 * where nobody can be asked. */
static bool
believe_guess(const struct sw_samba_look *look)
{
    const struct sw_smbd_place *place = &look->state->place;
    if (!place->guessed || !look->request->occupied) {
        return true;
    }
    if (look->testparm != NULL) {
        return sw_err_set(look->err,
            "nobody is listed, and %s did not say in time where smbd keeps its locks: run it to "
            "see why",
            look->testparm);
    }
    return (look->conf->smb_conf == NULL && sw_file_exists(place->locking_file)) ||
           sw_err_set(look->err,
               "nobody is listed, and where smbd keeps its locks is not known: install testparm "
               "beside smbstatus");
}

/* Nobody holds smbd.pid. */
static bool
believe_stopped(struct sw_samba_look *look)
{
    const struct sw_smbd_place *place = &look->state->place;
    bool in_use;
    if (!sw_lock_is_held(place->locking_file, &in_use, look->err)) {
        return false;
    }
    if (in_use) {
        return sw_err_set(look->err,
            "nobody locks %s, but %s is in use: smb.conf's pid directory is not that of the smbd "
            "that runs",
            place->pid_file, place->locking_file);
    }
    /* True after a start of the machine, and of a smb_conf that is not smbd's. */
    if (!look->state->no_trace_said && !sw_file_exists(place->locking_file)) {
        look->state->no_trace_said = true;
        sw_log(look->source->log, SW_LOG_WARN, look->source->name,
            "smbd is not running, and none ever used %s: is smb_conf the one that smbd is started "
            "with?",
            place->locking_file);
    }
    look->proven = true;
    look->server_stopped = true;
    return true;
}

/* smbstatus without its check for living processes: rows in the right lock folder. */
static bool
believe_count_all(struct sw_samba_look *look, size_t *rows)
{
    struct sw_samba_command command = sw_samba_command_of(look, true);
    struct sw_process_result result;
    struct sw_smbstatus_counts counts = {0};
    command.fast = true;
    bool counted =
        sw_samba_run(&command, &result, look->err) == SW_SAMBA_RUN_OK &&
        sw_smbstatus_read_text((struct sw_str){sw_buf_text(&result.out), result.out.size},
            &look->state->names, NULL, &counts, look->err);
    sw_process_result_fini(&result);
    *rows = counts.rows;
    return counted || sw_err_wrap(look->err, "nobody is listed, and that could not be confirmed");
}

/* smbd.pid is held. */
static bool
believe_idle(struct sw_samba_look *look, enum sw_smbd smbd)
{
    const struct sw_smbd_place *place = &look->state->place;
    bool in_use;
    size_t rows;
    if (!sw_lock_is_held(place->locking_file, &in_use, look->err)) {
        return false;
    }
    if (!in_use) {
        return sw_err_set(look->err,
            "smbd runs, but does not use %s: smb.conf's lock directory is not that of the smbd "
            "that runs",
            place->locking_file);
    }
    if (!believe_count_all(look, &rows)) {
        return false;
    }
    /* With smbd in sight, rows that are left over are those of a process that crashed. */
    if (rows > 0 && smbd != SW_SMBD_RUNS) {
        return sw_err_set(look->err,
            "smbd's processes cannot be seen from here (%zu rows in its lock folder): run "
            "sharewatch in smbd's container, or share its PID namespace",
            rows);
    }
    look->proven = true;
    return true;
}

bool
sw_samba_believe(struct sw_samba_look *look)
{
    bool nobody = look->counts.rows == 0;
    if ((nobody || look->state->place.pid_file == NULL) && !believe_refresh_place(look)) {
        return false;
    }
    if (nobody && !believe_guess(look)) {
        return false;
    }
    enum sw_smbd smbd = sw_smbd_place_state(&look->state->place, look->err);
    if (nobody) {
        return smbd == SW_SMBD_UNKNOWN   ? false
               : smbd == SW_SMBD_STOPPED ? believe_stopped(look)
                                         : believe_idle(look, smbd);
    }
    if (smbd == SW_SMBD_ELSEWHERE) {
        return sw_err_set(look->err,
            "smbd runs in another PID namespace, so that smbstatus takes other processes for its "
            "own: run sharewatch in smbd's container, or share its PID namespace");
    }
    /* Half-open rows alone: smbstatus sees smbd, and no session. */
    look->proven = look->counts.rows == look->counts.half_open;
    return true;
}
