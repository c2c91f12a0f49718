/* Sessions of the Samba on this machine, as its own smbstatus lists them. */
#include "agent/sources/samba/look.h"

#include <stddef.h>
#include <stdlib.h>

#include "agent/sources/sources.h"

/* JSON takes memory and time by the square of the rows and strangers can add rows; text does not,
 * but has no ids. Two borders, so that a server between them does not go to and fro. */
#define ROWS_TO_TEXT 1500
#define ROWS_TO_JSON 1000

/* Looks to stay with text after JSON was too much; doubles up to the second. */
#define TEXT_LOOKS_MIN 10
#define TEXT_LOOKS_MAX 640

struct sw_samba_command
sw_samba_command_of(const struct sw_samba_look *look, bool text)
{
    return (struct sw_samba_command){
        .smbstatus = look->smbstatus,
        .smb_conf = look->conf->smb_conf,
        .text = text,
        .deadline_ns = look->request->deadline_ns,
        .stop = look->request->stop,
    };
}

static enum sw_samba_run
samba_list(struct sw_samba_look *look, const struct sw_samba_command *command)
{
    struct sw_process_result result;
    struct sw_samba_state *state = look->state;
    enum sw_samba_run ended = sw_samba_run(command, &result, look->err);
    struct sw_str out = {sw_buf_text(&result.out), result.out.size};
    if (ended == SW_SAMBA_RUN_OK) {
        bool read = command->text ? sw_smbstatus_read_text(
                                        out, &state->names, look->builder, &look->counts, look->err)
                                  : sw_smbstatus_read_json(out, sw_clock_wall_ns(), &state->names,
                                        look->builder, &look->counts, look->err);
        if (read) {
            sw_samba_say_stderr(look, (struct sw_str){sw_buf_text(&result.err), result.err.size});
        } else {
            ended = !command->text && sw_str_starts(out, "(null)") ? SW_SAMBA_RUN_TRY_TEXT
                                                                   : SW_SAMBA_RUN_FAILED;
        }
    }
    sw_process_result_fini(&result);
    return ended;
}

static void
samba_stay_with_text(struct sw_samba_state *state)
{
    if (state->text_looks_next == 0) {
        state->text_looks_next = TEXT_LOOKS_MIN;
    }
    state->text = true;
    state->text_looks = state->text_looks_next;
    if (state->text_looks_next < TEXT_LOOKS_MAX) {
        state->text_looks_next *= 2;
    }
}

/* The form of the next look, after a good one. */
static void
samba_choose_form(struct sw_samba_look *look)
{
    struct sw_samba_state *state = look->state;
    if (state->text_looks > 0) {
        state->text_looks--;
    }
    if (look->counts.rows > ROWS_TO_TEXT) {
        state->text = true;
    } else if (look->counts.rows < ROWS_TO_JSON && state->text_looks == 0) {
        state->text = false;
    }
}

static enum sw_samba_run
samba_list_sessions(struct sw_samba_look *look)
{
    int64_t now_ns = sw_clock_boot_ns();
    struct sw_samba_command command = sw_samba_command_of(look, look->state->text);
    if (!command.text && command.deadline_ns > now_ns) {
        command.deadline_ns = now_ns + (command.deadline_ns - now_ns) / 2;
    }
    bool was_json = !command.text;
    enum sw_samba_run ended = samba_list(look, &command);
    if (ended == SW_SAMBA_RUN_TRY_TEXT && sw_clock_boot_ns() < look->request->deadline_ns) {
        sw_log(look->source->log, SW_LOG_INFO, look->source->name,
            "%s: asking for its table without ids instead", look->err->text);
        sw_builder_clear(look->builder);
        command = sw_samba_command_of(look, true);
        ended = samba_list(look, &command);
        if (ended == SW_SAMBA_RUN_OK) {
            samba_stay_with_text(look->state);
        }
    } else if (ended == SW_SAMBA_RUN_OK && was_json) {
        look->state->text_looks_next = 0;
    }
    return ended;
}

static enum sw_look
samba_look_at(struct sw_samba_look *look)
{
    if (!sw_is_superuser()) {
        sw_err_set(look->err, "smbstatus needs root: run sharewatch as root (or its service with "
                              "User=root)");
        return SW_LOOK_REFUSED;
    }
    if (!sw_samba_find_programs(look)) {
        return SW_LOOK_FAILED;
    }
    enum sw_samba_run ended = samba_list_sessions(look);
    if (ended != SW_SAMBA_RUN_OK) {
        return ended == SW_SAMBA_RUN_REFUSED ? SW_LOOK_REFUSED : SW_LOOK_FAILED;
    }
    look->state->place_doubted = !sw_samba_believe(look);
    if (look->state->place_doubted) {
        return SW_LOOK_FAILED;
    }
    samba_choose_form(look);
    struct sw_look_facts *facts = sw_builder_facts(look->builder);
    facts->half_open = look->counts.half_open;
    facts->proven = look->proven;
    facts->server_stopped = look->server_stopped;
    return SW_LOOK_COMPLETE;
}

static enum sw_look
samba_look(struct sw_source *source, const struct sw_look_request *request,
    struct sw_builder *builder, struct sw_err *err)
{
    struct sw_samba_look look = {.source = source,
        .conf = source->conf,
        .state = source->state,
        .request = request,
        .builder = builder,
        .err = err};
    enum sw_look answer = samba_look_at(&look);
    free(look.smbstatus);
    free(look.testparm);
    return answer;
}

static bool
samba_init(struct sw_source *source, struct sw_err *err)
{
    struct sw_samba_state *state = source->state;
    (void)err;
    state->names.lookup = sw_user_name;
    return true;
}

static void
samba_fini(struct sw_source *source)
{
    struct sw_samba_state *state = source->state;
    sw_smbd_place_fini(&state->place);
    sw_uid_names_fini(&state->names);
}

static void
samba_identity(const void *conf, struct sw_buf *buf)
{
    const struct sw_samba_conf *samba = conf;
    sw_buf_add_text(buf, samba->smb_conf != NULL ? samba->smb_conf : "default");
}

static const struct sw_key samba_keys[] = {
    {.name = "smbstatus",
        .type = SW_KEY_PATH,
        .offset = offsetof(struct sw_samba_conf, smbstatus),
        .trusted = true,
        .help = "Samba's program that lists sessions; left out: found in the system's folders"},
    {.name = "smb_conf",
        .type = SW_KEY_PATH,
        .offset = offsetof(struct sw_samba_conf, smb_conf),
        .help = "the configuration that smbd runs with; left out: Samba's own default"},
    SW_KEY_END,
};

const struct sw_source_class sw_source_samba = {
    .part =
        {
            .name = "samba",
            .summary = "the Samba on this machine, asked with smbstatus (needs root)",
            .keys = samba_keys,
            .conf_size = sizeof(struct sw_samba_conf),
        },
    .state_size = sizeof(struct sw_samba_state),
    .init = samba_init,
    .look = samba_look,
    .fini = samba_fini,
    .identity = samba_identity,
};
